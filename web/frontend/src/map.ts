import { one } from "./dom";

/** Change the community whose buildings the map shows without leaving the page. */
export function enhanceMap(form: HTMLFormElement): void {
  const frame = one(document, "iframe[data-map]", HTMLIFrameElement);
  const select = one(form, "select[name=community]", HTMLSelectElement);
  const link = document.querySelector<HTMLAnchorElement>("[data-map-link]");
  const button = form.querySelector<HTMLElement>("[data-nojs]");
  if (button !== null) button.hidden = true;
  select.addEventListener("change", () => {
    const url = new URL(form.dataset["mapUrl"] ?? "", window.location.href);
    if (select.value !== "") url.searchParams.set("community", select.value);
    frame.src = url.href;
    if (link !== null) link.href = url.href;
  });
}
