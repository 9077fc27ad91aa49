import "./app.css";
import { enhanceMap } from "./map";
import { followJob } from "./progress";
import { enhanceTable } from "./table";
import { enhanceForm } from "./upload";

// Every page works without this script; it only makes waiting, sorting and choosing pleasant.
document.documentElement.classList.add("js");
for (const panel of document.querySelectorAll<HTMLElement>("[data-job]")) followJob(panel);
for (const section of document.querySelectorAll<HTMLElement>("[data-table]")) enhanceTable(section);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-upload]")) enhanceForm(form);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-map-form]")) enhanceMap(form);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-autosubmit]")) {
  form.addEventListener("change", () => form.requestSubmit());
  form.querySelector("button")?.setAttribute("hidden", "");
}
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset["confirm"] ?? "")) event.preventDefault();
  });
}
