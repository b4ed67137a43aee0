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

setTimeout(update, EVERY_MS);
