// Keeps the page up to date: asks for it again and takes over what has changed.
"use strict";

const EVERY_MS = 2000;
let etag = null;

function isBusy() {
  // Whoever types a key or marks text must not have it taken away.
  const keys = document.querySelectorAll("input[type=password]");
  return [...keys].some((key) => key.value) || !document.getSelection().isCollapsed;
}

async function update() {
  let stale = false;
  try {
    const headers = etag ? {"If-None-Match": etag} : {};
    const answer = await fetch(location.href, {headers, cache: "no-store"});
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!isBusy()) {
        etag = answer.headers.get("ETag");
        document.getElementById("main").replaceWith(page.getElementById("main"));
        document.getElementById("server").replaceWith(page.getElementById("server"));
        document.title = page.title;
        tick();
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

// Counts down to the next trial load, and shows times on the reader's clock.
function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const left = (Date.parse(time.dateTime) - Date.now()) / 1000;
    if (time.className === "until") time.textContent = left < 0.5 ? "now" : `in ${inWords(left)}`;
    if (time.className === "ago") time.textContent = `${inWords(-left)} ago`;
    if (time.className === "clock") time.textContent = new Date(time.dateTime).toLocaleTimeString();
  }
}

tick();
setInterval(tick, 1000);
setTimeout(update, EVERY_MS);
