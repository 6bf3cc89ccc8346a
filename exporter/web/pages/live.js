// Keeps a page up to date, and follows the controls of its table without loading the whole page.
//
// The content of each element with `data-live` is replaced by that of a new page, if it differs.
// The reader's place stays: what is scrolled, focused, selected and entered. Without this script,
// the same links, buttons and fields load a new page.
"use strict";

const REFRESH = 1000 * Number(document.querySelector("main").dataset.refresh);
const TYPING = 250; // milliseconds without a key

const controls = document.getElementById("controls");
const outdated = document.getElementById("outdated");
let request = null;
let typing = null;

async function load() {
  request?.abort();
  const current = new AbortController();
  request = current;
  try {
    const response = await fetch(location.href, { signal: current.signal });
    if (!response.ok) throw new Error(response.statusText);
    show(new DOMParser().parseFromString(await response.text(), "text/html"));
    outdated.hidden = true;
  } catch {
    if (!current.signal.aborted) outdated.hidden = false;
  } finally {
    if (request === current) request = null;
  }
}

function show(page) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = page.getElementById(part.id);
    if (next === null || next.innerHTML === part.innerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    part.replaceChildren(...next.childNodes);
    if (focused) find(part, focused)?.focus({ preventScroll: true });
  }
}

// Returns the element of the new content that stands for one of the old.
function find(part, { localName, id, href }) {
  const others = [...part.querySelectorAll(localName)];
  return others.find((other) => other.id === id && other.href === href);
}

function change(changes) {
  const query = new URLSearchParams(location.search);
  query.delete("page");
  for (const [name, value] of Object.entries(changes)) query.set(name, value);
  history.replaceState(null, "", `?${query}`);
  load();
}

function filter() {
  clearTimeout(typing);
  typing = null;
  change({ filter: controls.elements.namedItem("filter").value });
}

function isRead() {
  return typing !== null || !document.getSelection().isCollapsed;
}

if (REFRESH) {
  setInterval(() => {
    if (!document.hidden && request === null && !isRead()) load();
  }, REFRESH);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) load();
  });
}

controls?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(filter, TYPING);
});

controls?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { submitter } = event;
  if (submitter?.name === "sort") change({ sort: submitter.value });
  else filter();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-page]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  change({ page: link.dataset.page });
});
