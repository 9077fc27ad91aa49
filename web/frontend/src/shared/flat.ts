import type { Map as GlMap } from "maplibre-gl";

/**
 * Leave the sky out of a map that is never tilted.
 *
 * MapLibre draws one over the whole view before everything else, seen or not: a program to make before the first frame,
 * and without a graphics card 15 ms of every frame. It leaves it out where the style tells nothing of it.
 */
export function flat(map: GlMap): void {
  map.on("style.load", () => {
    map.style.sky.getEvaluated = nothing as unknown as typeof map.style.sky.getEvaluated;
  });
}

function nothing(): undefined {
  return undefined;
}
