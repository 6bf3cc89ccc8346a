// The preview's own state timeline, since Grafana does not publish its component.
import { dateTimeFormat, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

const LABEL = 230;
const AXIS = 20;

export function Timeline({ frames, range, width, height }) {
  const theme = useTheme2();
  const rowHeight = (height - AXIS - 4) / frames.length;
  const x = (time) => LABEL + ((time / 1000 - range.from) / range.seconds) * (width - LABEL);
  const ticks = Array.from({ length: 7 }, (_, index) => range.from + ((index + 0.5) * range.seconds) / 7);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily} fontSize={12}>
      {frames.map((frame, row) => (
        <g key={row} transform={`translate(0 ${row * rowHeight})`}>
          <text x={LABEL - 8} y={rowHeight / 2 + 4} textAnchor="end" fill={theme.colors.text.primary}>
            {getFieldDisplayName(frame.fields[1], frame, frames)}
          </text>
          {segments(frame).map(({ from, to, value }) => {
            const { text, color } = frame.fields[1].display(value);
            const segmentWidth = x(to) - x(from);
            return (
              <g key={from}>
                <rect x={x(from)} y={rowHeight * 0.05} width={Math.max(segmentWidth, 1)} height={rowHeight * 0.9} fill={color} fillOpacity={0.8} />
                {segmentWidth > text.length * 8 && (
                  <text x={x(from) + 6} y={rowHeight / 2 + 4} fill={theme.colors.getContrastText(color)}>{text}</text>
                )}
              </g>
            );
          })}
        </g>
      ))}
      {ticks.map((tick) => (
        <text key={tick} x={x(tick * 1000)} y={height - 6} textAnchor="middle" fill={theme.colors.text.secondary}>
          {dateTimeFormat(tick * 1000, { format: 'HH:mm' })}
        </text>
      ))}
    </svg>
  );
}

// Consecutive points with the same value; a gap in the data ends a segment.
function segments({ fields: [time, value] }) {
  const gap = 2 * Math.min(...time.values.slice(1).map((at, index) => at - time.values[index]));
  const result = [];
  time.values.forEach((at, index) => {
    const last = result.at(-1);
    if (last && at - last.to <= gap) {
      last.to = at;
      if (last.value === value.values[index]) {
        return;
      }
    }
    result.push({ from: at, to: at, value: value.values[index] });
  });
  return result;
}
