// SPDX-License-Identifier: Apache-2.0
"use strict";

// All text is put in as text. Only rows that are in sight are elements.
const at = (id) => document.getElementById(id);
const rowHeight = 28, spare = 10;
const interval = Number(document.body.dataset.interval);

// The key comes behind the # once, and stays with this tab.
if (location.hash.length > 1) {
	sessionStorage.setItem("key", location.hash.slice(1));
	history.replaceState(null, "", "/");
}
const key = sessionStorage.getItem("key") || "";

async function get(path) {
	const answer = await fetch(path, {headers: {"X-Landlockd-Key": key}});
	const text = await answer.text();
	if (!answer.ok) throw new Error(text.trim());
	return text;
}

let all = [];             // processes, in the order of their tree
let lines = [];           // what of them is shown, with level and what is below
const closed = new Set(); // keys of those whose children are not shown
let active = "", chosen = "", chosenIs = "", asked = 0;

function layOut() {
	const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
	const every = at("all").checked || words.length > 0;
	const keep = all.map((p) => (every || p.shown) && words.every((w) => p.text.includes(w)));
	const matches = keep.filter(Boolean).length;
	for (let i = all.length - 1; i >= 0; i--) {
		if (keep[i] && all[i].up >= 0) keep[all[i].up] = true;
	}
	const level = [], hidden = [], lineOf = [];
	lines = [];
	all.forEach((p, i) => {
		const up = p.up;
		level[i] = up < 0 ? 0 : level[up] + 1;
		hidden[i] = up >= 0 && (hidden[up] || closed.has(all[up].key));
		if (!keep[i]) return;
		if (up >= 0 && lineOf[up]) lineOf[up].parent = true;
		if (hidden[i]) return;
		lineOf[i] = {p, level: level[i], up: up < 0 ? null : all[up], parent: false};
		lines.push(lineOf[i]);
	});
	if (!lines.some((l) => l.p.key === active)) active = lines.length ? lines[0].p.key : "";
	at("rows").style.height = lines.length * rowHeight + "px";
	at("count").textContent = words.length ? matches + " of " + all.length + " match"
		: all.length === 0 ? "" : matches === 0 ? "None that you may see is sandboxed: show every process"
		: matches + " of " + all.length + " shown";
	draw();
}

function element(name, kind, text) {
	const e = document.createElement(name);
	e.className = kind;
	if (text !== undefined) e.textContent = text;
	return e;
}

function blank(p) {
	const row = element("div", "row");
	row.id = "row-" + p.key;
	row.dataset.key = p.key;
	row.setAttribute("role", "treeitem");
	const name = element("span", "name"), workload = element("span", "workload");
	name.append(element("span", "mark"), element("span", "pid", p.pid), element("bdi", "command"));
	workload.append(element("bdi", "service"));
	row.append(name, element("span", "state"), element("span", "depth"), element("span", "domain"),
		element("span", "restricts"), workload);
	return row;
}

function fill(row, line, n) {
	const {p, level, up} = line, open = !closed.has(p.key);
	const put = (kind, text) => {
		const e = row.querySelector("." + kind);
		if (e.textContent !== text) e.textContent = text;
	};
	put("mark", line.parent ? (open ? "▾" : "▸") : "");
	put("command", p.command);
	put("state", p.state);
	put("depth", p.depth);
	put("domain", p.domain);
	put("restricts", p.restricts);
	put("service", p.workload);
	row.querySelector(".state").className = "state " + p.state;
	row.querySelector(".name").style.setProperty("--level", Math.min(level, 24));
	row.setAttribute("aria-level", level + 1);
	row.setAttribute("aria-posinset", n + 1);
	row.setAttribute("aria-setsize", lines.length);
	row.setAttribute("aria-selected", p.key === chosen);
	if (line.parent) row.setAttribute("aria-expanded", open);
	else row.removeAttribute("aria-expanded");
	row.style.top = n * rowHeight + "px";
	row.classList.toggle("active", p.key === active && document.activeElement === at("tree"));
	row.classList.toggle("chosen", p.key === chosen);
	row.classList.toggle("begins", p.state !== "unsandboxed" && (!up || up.domain !== p.domain));
	row.title = p.command + " · " + p.workload;
	return row;
}

// draw makes elements of the rows that are in sight. Those that stay are the same elements: a
// click is on one from the press to the release.
function draw() {
	const tree = at("tree"), rows = at("rows");
	const first = Math.max(0, Math.floor(tree.scrollTop / rowHeight) - spare);
	const end = Math.ceil((tree.scrollTop + tree.clientHeight) / rowHeight) + spare;
	const seen = lines.slice(first, end), keys = new Set(seen.map((line) => line.p.key));
	const have = new Map();
	for (const row of [...rows.children]) {
		if (keys.has(row.dataset.key)) have.set(row.dataset.key, row);
		else row.remove();
	}
	seen.forEach((line, i) => {
		const row = fill(have.get(line.p.key) || blank(line.p), line, first + i);
		if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] || null);
	});
	if (at("row-" + active)) tree.setAttribute("aria-activedescendant", "row-" + active);
	else tree.removeAttribute("aria-activedescendant");
}

function place() { return lines.findIndex((l) => l.p.key === active); }

function moveTo(n) {
	if (lines.length === 0) return;
	n = Math.max(0, Math.min(lines.length - 1, n));
	active = lines[n].p.key;
	const tree = at("tree"), top = n * rowHeight;
	if (top < tree.scrollTop) tree.scrollTop = top;
	const below = top + rowHeight - tree.clientHeight;
	if (below > tree.scrollTop) tree.scrollTop = below;
	draw();
}

function toggle(process, open) {
	if (open) closed.delete(process); else closed.add(process);
	layOut();
}

at("tree").addEventListener("keydown", (e) => {
	const n = place(), line = lines[n], page = Math.floor(at("tree").clientHeight / rowHeight);
	if (!line) return;
	const open = line.parent && !closed.has(line.p.key);
	const keys = {
		ArrowDown: () => moveTo(n + 1), ArrowUp: () => moveTo(n - 1),
		PageDown: () => moveTo(n + page), PageUp: () => moveTo(n - page),
		Home: () => moveTo(0), End: () => moveTo(lines.length - 1),
		ArrowRight: () => open ? moveTo(n + 1) : line.parent && toggle(line.p.key, true),
		ArrowLeft: () => open ? toggle(line.p.key, false)
			: line.up && moveTo(lines.findIndex((l) => l.p === line.up)),
		Enter: () => choose(line.p.key, true),
	};
	if (!keys[e.key]) return;
	e.preventDefault();
	keys[e.key]();
});
at("tree").addEventListener("click", (e) => {
	const row = e.target.closest(".row");
	if (!row) return;
	active = row.dataset.key;
	if (e.target.className === "mark") toggle(active, closed.has(active));
	else choose(active, false);
});
at("tree").addEventListener("scroll", draw, {passive: true});
for (const event of ["focus", "blur"]) at("tree").addEventListener(event, draw);
at("search").addEventListener("input", layOut);
at("all").addEventListener("change", layOut);
at("filter").addEventListener("submit", (e) => e.preventDefault());
at("close").addEventListener("click", () => {
	chosen = "";
	at("explained").hidden = true;
	draw();
	at("tree").focus();
});

// choose shows the explanation of a process, and moves there if it was asked for by a key.
async function choose(process, move) {
	chosen = process;
	chosenIs = "";
	await explain();
	if (move && chosen === process) at("about").focus();
}

// explain asks for the explanation again if the chosen process is not what it was.
async function explain() {
	draw();
	if (!chosen) return;
	const p = all.find((p) => p.key === chosen), is = JSON.stringify(p) || "gone";
	if (is === chosenIs) return;
	chosenIs = is;
	const turn = ++asked, first = at("explained").hidden;
	if (p) at("about").textContent = "Process " + p.pid + ": " + p.command;
	if (first) at("explanation").textContent = "Looking…";
	at("explained").hidden = false;
	const text = p ? await get("/explain?process=" + p.key).catch((e) => e.message)
		: "It has ended. What was known of it:\n\n" + at("explanation").textContent;
	if (turn === asked) at("explanation").textContent = text;
}

// overview puts in what has changed, so that nothing that is open or in use goes.
function overview(text) {
	const page = new DOMParser().parseFromString(text, "text/html");
	for (const id of ["cards", "rest"]) {
		const old = at(id), news = page.getElementById(id);
		if (old.innerHTML === news.innerHTML || old.contains(document.activeElement)) continue;
		const open = Boolean(old.querySelector("details[open]"));
		old.replaceChildren(...news.childNodes);
		if (open && old.querySelector("details")) old.querySelector("details").open = true;
	}
}

async function look() {
	try {
		const [pictures, processes] = await Promise.all([get("/overview"), get("/processes")]);
		const answer = JSON.parse(processes);
		all = answer.processes;
		for (const p of all) {
			p.text = [p.pid, p.command, p.state, p.domain, p.workload].join(" ").toLowerCase();
		}
		at("from").textContent = answer.notes.join(". ") + ". " + answer.time;
		at("trouble").hidden = true;
		overview(pictures);
		layOut();
		await explain();
	} catch (e) {
		at("trouble").textContent = e instanceof TypeError
			? "landlockd ui does not answer: it has ended, perhaps. What is below was so before."
			: e.message;
		at("trouble").hidden = false;
	}
}

// Nobody looks for a tab that nobody sees.
(async () => {
	for (;;) {
		if (!document.hidden) await look();
		await new Promise((done) => setTimeout(done, interval));
	}
})();
