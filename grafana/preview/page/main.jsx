import { EventBusSrv, createTheme } from '@grafana/data';
import { GlobalStyles, PanelChrome, PanelContextProvider, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { applyTransformations, applyFieldOptions } from './fields.js';
import { pixels, layOut } from './grid.js';
import { PANEL_TYPES } from './panels.jsx';
import { queryFrames, timeRange, variables } from './prometheus.js';

const NOTE = "Rendered with Grafana's published components, not by a Grafana server; state timelines by the preview itself.";

const query = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: query.get('theme') } });
const context = { eventBus: new EventBusSrv(), eventsScope: 'preview', sync: () => 0, canAddAnnotations: () => false };

async function loadPanel(panel, range, values) {
  if (panel.type === 'row' || panel.type === 'text') {
    return { panel, frames: [] };
  }
  const frames = await applyTransformations(panel, await queryFrames(panel, range, values));
  return { panel, frames: applyFieldOptions(panel, frames, query.get('theme')) };
}

function Header({ dashboard, values, range }) {
  return (
    <header style={{ padding: '10px 16px', fontSize: 14 }}>
      <b style={{ fontSize: 18 }}>{dashboard.title}</b>
      <span style={{ float: 'right', color: theme.colors.text.secondary, fontSize: 12 }}>{NOTE}</span>
      <div style={{ marginTop: 14, display: 'flex', gap: 12 }}>
        {dashboard.templating.list.filter(({ hide }) => !hide).map(({ name, label }) => (
          <span key={name} style={{ border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2 }}>
            <span style={{ padding: '4px 8px', background: theme.colors.background.secondary }}>{label}</span>
            <span style={{ padding: '4px 8px' }}>{values[name].text}</span>
          </span>
        ))}
        <span style={{ marginLeft: 'auto' }}>Last {range}</span>
      </div>
    </header>
  );
}

function PositionedPanel({ panel, frames, range }) {
  const position = pixels(panel.gridPos, window.innerWidth);
  if (panel.type === 'row') {
    return (
      <div style={{ position: 'absolute', ...position, lineHeight: `${position.height}px`, fontWeight: 500 }}>
        {panel.collapsed && query.get('open') !== '1' ? '› ' : '⌄ '}{panel.title}
        {panel.collapsed && query.get('open') !== '1' && (
          <span style={{ color: theme.colors.text.secondary }}> ({panel.panels.length} panel{panel.panels.length > 1 ? 's' : ''})</span>
        )}
      </div>
    );
  }
  const Panel = PANEL_TYPES[panel.type];
  return (
    <div style={{ position: 'absolute', ...position }}>
      <PanelChrome title={panel.title} description={panel.description} width={position.width} height={position.height}>
        {(width, height) => <Panel panel={panel} frames={frames} range={range} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
}

async function render() {
  const dashboard = await (await fetch(`/${query.get('uid')}.json`)).json();
  const range = await timeRange(query.get('range'));
  const preset = Object.fromEntries(query.getAll('var').map((text) => text.split(/=(.*)/s)));
  const values = await variables(dashboard, range, preset);
  const panels = await Promise.all(layOut(dashboard, query.get('open') === '1').map((panel) => loadPanel(panel, range, values)));
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={context}>
        <Header dashboard={dashboard} values={values} range={query.get('range')} />
        {panels.map((loaded) => <PositionedPanel key={loaded.panel.id} {...loaded} range={range} />)}
        <PortalContainer />
      </PanelContextProvider>
    </ThemeContext.Provider>,
  );
}

render().catch((error) => {
  document.body.textContent = `${error.stack}`;
});
