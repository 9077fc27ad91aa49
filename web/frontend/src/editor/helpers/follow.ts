import { Offline } from "../model/sync";
import type { JobDocument, Requests } from "./requests";

const EVERY_MS = 700;
const OPEN = new Set(["queued", "running"]);

/** Ask for a job until it has ended, and tell how far it is; a service that is away is waited for. */
export async function follow(requests: Requests, job: JobDocument, tell: (job: JobDocument) => void): Promise<JobDocument> {
  let now = job;
  tell(now);
  while (OPEN.has(now.state)) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    try {
      now = await requests.job(now.id);
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
    }
    tell(now);
  }
  return now;
}
