import type { Map as GlMap, VectorTileSource } from "maplibre-gl";
import type { Protocol } from "pmtiles";

const AGAIN_MS = 3000;
/** How the browsers, and the reader of archives, say that no answer came; a proxy says it with a number. */
const NO_ANSWER = /failed to fetch|network ?error|load failed|response code: 50[234]/i;

/**
 * Ask for tiles again that did not arrive: what failed is kept as failed, and would leave a hole in the map.
 *
 * That the service is away is said elsewhere, and a page that is being left says nothing at all.
 *
 * @param sources - What the map was made with; whoever lays another source listens to it.
 */
export function askAgain(gl: GlMap, protocol: Protocol, sources: ReadonlySet<string>): void {
  const lost = new Set<string>();
  const again = (): void => {
    // The archives keep the answers that failed, too.
    protocol.tiles.clear();
    for (const id of lost) {
      const source = gl.getSource<VectorTileSource>(id);
      if (source?.loaded()) gl.refreshTiles(id);
      else void source?.load();
    }
    lost.clear();
  };
  gl.on("error", ({ error, ...event }) => {
    const { sourceId } = event as { sourceId?: string };
    if (sourceId !== undefined && !sources.has(sourceId)) return;
    if (sourceId === undefined || !NO_ANSWER.test(error.message)) {
      console.error(error.message, error);
      return;
    }
    if (lost.size === 0) window.setTimeout(again, AGAIN_MS);
    lost.add(sourceId);
  });
}
