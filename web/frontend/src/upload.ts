const MEGABYTE = 1024 * 1024;

/** Show what was chosen, refuse what is too large before it is sent, and say that the server works. */
export function enhanceForm(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("input[type=file]");
  const drop = form.querySelector<HTMLElement>("[data-drop]");
  if (input !== null && drop !== null) enhanceFiles(form, input, drop);
  form.addEventListener("submit", () => {
    const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
    if (button === null) return;
    button.disabled = true;
    button.textContent = form.dataset["busy"] ?? button.textContent;
    form.setAttribute("aria-busy", "true");
  });
  // A page that the Back button brings back is ready again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}

function enhanceFiles(form: HTMLFormElement, input: HTMLInputElement, drop: HTMLElement): void {
  const chosen = form.querySelector<HTMLElement>("[data-chosen]");
  const problem = form.querySelector<HTMLElement>("[data-problem]");
  const limit = Number(form.dataset["limitMb"]) * MEGABYTE;

  const show = (): void => {
    const files = [...(input.files ?? [])];
    chosen?.replaceChildren(
      ...files.map((file) => {
        const item = document.createElement("li");
        item.textContent = `${file.name} · ${(file.size / MEGABYTE).toFixed(1)} MB`;
        return item;
      }),
    );
    const tooLarge = files.reduce((sum, file) => sum + file.size, 0) > limit;
    const text = tooLarge ? (form.dataset["tooLarge"] ?? "") : "";
    input.setCustomValidity(text);
    if (problem !== null) {
      problem.hidden = !tooLarge;
      problem.textContent = text;
    }
  };

  input.addEventListener("change", show);
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer === null || event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    show();
  });
}
