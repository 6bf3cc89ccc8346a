// Where panels stand, as Grafana's grid has it: 24 columns, cells of 30 pixels with gaps of 8.
const CELL = 30;
const GAP = 8;
const HEAD = 96;

// Panels from top to bottom; those of collapsed rows only if `open`, which moves the rest down.
export function placed(board, open) {
  const panels = [];
  let shift = 0;
  for (const panel of board.panels) {
    const { gridPos } = panel;
    panels.push({ ...panel, gridPos: { ...gridPos, y: gridPos.y + shift } });
    if (panel.type === 'row' && panel.collapsed && open) {
      const bottom = Math.max(...panel.panels.map(({ gridPos: place }) => place.y + place.h));
      panels.push(...panel.panels.map((inner) => ({ ...inner, gridPos: { ...inner.gridPos, y: inner.gridPos.y + shift } })));
      shift += bottom - gridPos.y - 1;
    }
  }
  return panels;
}

export function box({ x, y, w, h }, width) {
  const column = (width - GAP) / 24;
  return {
    left: GAP + x * column,
    top: HEAD + y * (CELL + GAP),
    width: w * column - GAP,
    height: h * (CELL + GAP) - GAP,
  };
}

export function pageHeight(board, open) {
  const bottom = Math.max(...placed(board, open).map(({ gridPos }) => gridPos.y + gridPos.h));
  return HEAD + bottom * (CELL + GAP) + GAP;
}
