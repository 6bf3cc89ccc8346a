// Renders a dashboard with the data of a running Prometheus and takes a screenshot:
//
//   node preview.mjs --prometheus http://localhost:9090 --out DIR [--range 1h] [--theme light]
//                    [--var daemon=office] [--open] [--width 1400] [UID …]
//
// --open expands collapsed rows. Without UIDs all dashboards are rendered.
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { pageHeight } from './page/grid.js';

const HERE = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const DASHBOARDS = join(HERE, '..', 'dashboards');
const BROWSER = process.env.CHROMIUM ?? 'chromium';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prometheus: { type: 'string', default: 'http://localhost:9090' },
    out: { type: 'string', default: join(HERE, 'out') },
    range: { type: 'string', default: '1h' },
    theme: { type: 'string', default: 'dark' },
    var: { type: 'string', multiple: true, default: [] },
    open: { type: 'boolean', default: false },
    width: { type: 'string', default: '1400' },
  },
});

async function bundle() {
  const result = await build({
    entryPoints: [join(HERE, 'page', 'main.jsx')],
    bundle: true,
    write: false,
    minify: true,
    jsx: 'automatic',
    target: 'es2022',
    outfile: 'page.js',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.svg': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl' },
    logLevel: 'error',
  });
  return Object.fromEntries(result.outputFiles.map((file) => [`/${file.path.split('/').pop()}`, file.text]));
}

function page(files) {
  const style = '/page.css' in files ? '<link rel="stylesheet" href="/page.css">' : '';
  return `<!doctype html><meta charset="utf-8">${style}<body><div id="root"></div><script src="/page.js"></script>`;
}

// Serves the page, the dashboards and Prometheus' API from one origin, so that the browser allows the requests.
function serve(files) {
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://preview');
    try {
      if (pathname === '/') {
        response.setHeader('content-type', 'text/html').end(page(files));
      } else if (pathname in files) {
        response.setHeader('content-type', pathname.endsWith('.css') ? 'text/css' : 'text/javascript').end(files[pathname]);
      } else if (/^\/[a-z-]+\.json$/.test(pathname)) {
        response.end(await readFile(join(DASHBOARDS, pathname)));
      } else if (pathname.startsWith('/api/')) {
        const reply = await fetch(options.prometheus + pathname + search);
        response.writeHead(reply.status).end(await reply.text());
      } else {
        response.writeHead(404).end();
      }
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function screenshot(uid, port) {
  const dashboard = JSON.parse(await readFile(join(DASHBOARDS, `${uid}.json`)));
  const query = new URLSearchParams({ uid, theme: options.theme, range: options.range, open: options.open ? '1' : '' });
  for (const variable of options.var) {
    query.append('var', variable);
  }
  const file = join(options.out, `${uid}-${options.theme}${options.open ? '-open' : ''}.png`);
  const profile = await mkdtemp(join(tmpdir(), 'preview-'));
  // No sandbox, since Chromium has none as root. It loads no other page.
  await promisify(execFile)(BROWSER, [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--user-data-dir=${profile}`,
    `--window-size=${options.width},${pageHeight(dashboard, options.open)}`,
    '--virtual-time-budget=20000', `--screenshot=${file}`, `http://127.0.0.1:${port}/?${query}`,
  ]);
  await rm(profile, { recursive: true, force: true });
  console.log(file);
}

await mkdir(options.out, { recursive: true });
const server = await serve(await bundle());
const all = (await readdir(DASHBOARDS)).map((name) => name.replace('.json', ''));
for (const uid of positionals.length ? positionals : all) {
  await screenshot(uid, server.address().port);
}
server.close();
