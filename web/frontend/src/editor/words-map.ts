/** Texts of opening, base maps and printing, Chinese and English side by side. */
export const WORDS_MAP: Readonly<Record<string, readonly [string, string]>> = {
  tiles_drawn: ["正在绘制地图", "Drawing the map"],
  tiles_queued: ["排队中：其他任务完成后开始，只需一次。", "Waiting for other jobs; this is done once for the city."],
  tiles_share: ["每个城区只绘制一次，已完成 {share}", "This is done once for the city: {share} so far"],
  tiles_failed: ["地图绘制没有完成，请重试。", "The map could not be drawn. Try again."],
  empty_plan: ["此方案没有单元，无法编辑", "This plan has no cells to edit"],
  empty_plan_hint: ["请回到项目，检查楼栋与社区图层后重新生成方案。", "Go back to the project, check the buildings and communities, and make the plan again."],
  to_project: ["回到项目", "Back to the project"],
  command_print: ["打印", "Print"],
  print_summary: ["{grids} 个网格，{band} 个达标；{pieces} 个不连通；{split} 个小区被拆；{unassigned} 个单元未划入", "{grids} grids, {band} in band; {pieces} in pieces; {split} compounds cut; {unassigned} cells in no grid"],
  print_standard: ["{name}：目标 {target}，范围 {min}–{max}", "{name}: target {target}, band {min}–{max}"],
  print_revision: ["第 {n} 版", "Revision {n}"],
  legend_locked: ["已锁定", "Locked"],
  base_file: ["本地底图", "Local base map"],
  base_url: ["在线底图", "Online base map"],
  base_failed: ["底图暂时取不到，已关闭；其他图层不受影响。", "The base map cannot be fetched and is off now; the other layers are as they were."],
};
