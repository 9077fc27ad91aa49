import { one } from "./dom";

interface JobAnswer {
  state: string;
  progress: { stage: string; done: number; total: number; percent: number };
}

const POLL_MS = 700;
const RETRY_MS = 3000;

/** Follow a job until it ends, then show its result; the form's own cancel button works without this. */
export function followJob(panel: HTMLElement): void {
  const url = panel.dataset["job"] ?? "";
  const bar = one(panel, "[data-bar]", HTMLProgressElement);
  const stage = one(panel, "[data-stage]", HTMLElement);
  const steps = one(panel, "[data-steps]", HTMLElement);
  const names = stageNames(panel);
  let tag: string | null = null;

  const show = (answer: JobAnswer): void => {
    const { progress } = answer;
    const name = names.get(progress.stage) ?? progress.stage;
    if (stage.textContent !== name) stage.textContent = name;
    steps.textContent = progress.total > 1 ? `${progress.done} / ${progress.total}` : "";
    bar.value = Math.max(bar.value, progress.percent);
  };

  const poll = async (): Promise<void> => {
    try {
      const headers: Record<string, string> = tag === null ? {} : { "If-None-Match": tag };
      const response = await fetch(url, { headers, cache: "no-store" });
      if (response.status === 200) {
        tag = response.headers.get("ETag");
        const answer = (await response.json()) as JobAnswer;
        show(answer);
        if (answer.state !== "queued" && answer.state !== "running") {
          window.location.reload();
          return;
        }
      } else if (response.status === 401 || response.status === 404) {
        window.location.reload();
        return;
      }
      window.setTimeout(() => void poll(), POLL_MS);
    } catch {
      // The server is away for a moment; the job, or its end, is still there when it is back.
      window.setTimeout(() => void poll(), RETRY_MS);
    }
  };
  void poll();
}

function stageNames(panel: HTMLElement): Map<string, string> {
  const template = one(panel, "template[data-stages]", HTMLTemplateElement);
  const spans = template.content.querySelectorAll<HTMLElement>("[data-key]");
  return new Map([...spans].map((span) => [span.dataset["key"] ?? "", span.textContent ?? ""]));
}
