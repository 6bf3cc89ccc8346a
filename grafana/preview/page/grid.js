// Positions of panels in Grafana's grid: 24 columns, cells of 30 pixels with gaps of 8.
const CELL = 30;
const GAP = 8;
const HEADER = 96;

// The panels from top to bottom. With `open` the panels of collapsed rows are included and move the following panels down.
export function layOut(dashboard, open) {
  const panels = [];
  let shift = 0;
  for (const panel of dashboard.panels) {
    const { gridPos } = panel;
    panels.push({ ...panel, gridPos: { ...gridPos, y: gridPos.y + shift } });
    if (panel.type === 'row' && panel.collapsed && open) {
      const bottom = Math.max(...panel.panels.map(({ gridPos: inner }) => inner.y + inner.h));
      panels.push(...panel.panels.map((inner) => ({ ...inner, gridPos: { ...inner.gridPos, y: inner.gridPos.y + shift } })));
      shift += bottom - gridPos.y - 1;
    }
  }
  return panels;
}

export function pixels({ x, y, w, h }, width) {
  const column = (width - GAP) / 24;
  return {
    left: GAP + x * column,
    top: HEADER + y * (CELL + GAP),
    width: w * column - GAP,
    height: h * (CELL + GAP) - GAP,
  };
}

export function pageHeight(dashboard, open) {
  const bottom = Math.max(...layOut(dashboard, open).map(({ gridPos }) => gridPos.y + gridPos.h));
  return HEADER + bottom * (CELL + GAP) + GAP;
}
