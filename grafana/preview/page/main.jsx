import { EventBusSrv, createTheme } from '@grafana/data';
import { GlobalStyles, PanelChrome, PanelContextProvider, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { transformed, withOptions } from './fields.js';
import { box, placed } from './grid.js';
import { KINDS } from './panels.jsx';
import { frames as framesOf, timeRange, variables } from './prometheus.js';

const NOTE = "Drawn with Grafana's published components, not by a Grafana server; state timelines by the preview itself.";

const query = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: query.get('theme') } });
const context = { eventBus: new EventBusSrv(), eventsScope: 'preview', sync: () => 0, canAddAnnotations: () => false };

async function prepared(panel, range, chosen) {
  if (panel.type === 'row' || panel.type === 'text') {
    return { panel, frames: [] };
  }
  const frames = await transformed(panel, await framesOf(panel, range, chosen));
  return { panel, frames: withOptions(panel, frames, query.get('theme')) };
}

function Head({ board, chosen, range }) {
  return (
    <header style={{ padding: '10px 16px', fontSize: 14 }}>
      <b style={{ fontSize: 18 }}>{board.title}</b>
      <span style={{ float: 'right', color: theme.colors.text.secondary, fontSize: 12 }}>{NOTE}</span>
      <div style={{ marginTop: 14, display: 'flex', gap: 12 }}>
        {board.templating.list.map(({ name, label }) => (
          <span key={name} style={{ border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2 }}>
            <span style={{ padding: '4px 8px', background: theme.colors.background.secondary }}>{label}</span>
            <span style={{ padding: '4px 8px' }}>{chosen[name].shown}</span>
          </span>
        ))}
        <span style={{ marginLeft: 'auto' }}>Last {range}</span>
      </div>
    </header>
  );
}

function Placed({ panel, frames, range }) {
  const place = box(panel.gridPos, window.innerWidth);
  if (panel.type === 'row') {
    return (
      <div style={{ position: 'absolute', ...place, lineHeight: `${place.height}px`, fontWeight: 500 }}>
        {panel.collapsed && query.get('open') !== '1' ? '› ' : '⌄ '}{panel.title}
        {panel.collapsed && query.get('open') !== '1' && (
          <span style={{ color: theme.colors.text.secondary }}> ({panel.panels.length} panel{panel.panels.length > 1 ? 's' : ''})</span>
        )}
      </div>
    );
  }
  const Kind = KINDS[panel.type];
  return (
    <div style={{ position: 'absolute', ...place }}>
      <PanelChrome title={panel.title} description={panel.description} width={place.width} height={place.height}>
        {(width, height) => <Kind panel={panel} frames={frames} range={range} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
}

async function draw() {
  const board = await (await fetch(`/${query.get('uid')}.json`)).json();
  const range = timeRange(query.get('range'));
  const given = Object.fromEntries(query.getAll('var').map((text) => text.split(/=(.*)/s)));
  const chosen = await variables(board, range, given);
  const panels = await Promise.all(placed(board, query.get('open') === '1').map((panel) => prepared(panel, range, chosen)));
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={context}>
        <Head board={board} chosen={chosen} range={query.get('range')} />
        {panels.map((one) => <Placed key={one.panel.id} {...one} range={range} />)}
        <PortalContainer />
      </PanelContextProvider>
    </ThemeContext.Provider>,
  );
}

draw().catch((error) => {
  document.body.textContent = `${error.stack}`;
});
