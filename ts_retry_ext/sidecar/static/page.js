// Keeps the page up to date: asks for it again and takes over the parts that have changed.
"use strict";

const EVERY_MS = 2000;
let etag = null;
let announced = "";

function isBusy() {
  // Whoever types a key or marks text must not have it taken away.
  const keys = document.querySelectorAll("input[type=password]");
  return [...keys].some((key) => key.value) || !document.getSelection().isCollapsed;
}

// What names an element to the reader, so that it is found again on the newer page.
function nameOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute("href");
  if (href) return `a[href="${CSS.escape(href)}"]`;
  const form = element.closest("form");
  if (!form) return null;
  const within = `form[action="${CSS.escape(form.getAttribute("action"))}"]`;
  return `${within} ${element.localName}${element.name ? `[name="${CSS.escape(element.name)}"]` : ""}`;
}

// Puts the parts of a newer page in place of those that differ, and leaves alone what somebody uses:
// the fields of the filter, what is unfolded, and where the keyboard is.
function take(page) {
  const parts = [...document.querySelectorAll("[data-live]")];
  const newer = page.querySelectorAll("[data-live]");
  if (parts.map((part) => part.id).join() !== [...newer].map((part) => part.id).join()) {
    document.getElementById("main").replaceWith(page.getElementById("main"));
    return;
  }
  parts.forEach((part, number) => {
    const other = newer[number];
    for (const open of part.querySelectorAll("details[open][id]")) {
      const same = other.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = true;
    }
    if (part.isEqualNode(other)) return;
    const focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    part.replaceWith(other);
    const again = focused && other.querySelector(focused);
    if (again) again.focus({preventScroll: true});
  });
}

// What has changed, for a screen reader: it follows one element that stays, not parts that are put in place of others.
function announce() {
  const told = [...document.querySelectorAll("h1, .progress > p, p.progress")];
  const words = told.map((element) => element.innerText).join(". ");
  if (words !== announced && announced) document.getElementById("announced").textContent = words;
  announced = words;
}

async function update() {
  let stale = false;
  try {
    const headers = {"Accept": "text/html", ...(etag ? {"If-None-Match": etag} : {})};
    const answer = await fetch(location.href, {headers, cache: "no-store"});
    // A model that is there no more is an answer, too.
    if (answer.ok || answer.status === 404) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!isBusy()) {
        etag = answer.headers.get("ETag");
        take(page);
        document.title = page.title;
        tick();
        announce();
      }
    } else {
      stale = answer.status !== 304;
    }
  } catch (error) {
    stale = true;
  }
  document.getElementById("stale").hidden = !stale;
  setTimeout(update, EVERY_MS);
}

// How long a time span is, in one unit, as `duration_in_words` says it.
function inWords(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

// Counts down to the next trial load, and says how long ago things were. Times of the day are the server's: its
// logs and commands have them, too.
function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const left = (Date.parse(time.dateTime) - Date.now()) / 1000;
    if (time.className === "until") time.textContent = left < 0.5 ? "now" : `in ${inWords(left)}`;
    if (time.className === "ago") time.textContent = `${inWords(-left)} ago`;
    if (time.className === "age") time.textContent = inWords(-left);
  }
}

tick();
announce();
setInterval(tick, 1000);
setTimeout(update, EVERY_MS);
