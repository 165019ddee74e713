// Measures the page of a plan in frames of several widths; every complaint is a line of the body.
function rgb(text) {
  const parts = text.match(/[\d.]+/g).map(Number);
  return parts.length > 3 && parts[3] === 0 ? null : parts.slice(0, 3);
}
// Relative luminance and contrast ratio as in WCAG 2.2.
function light(color) {
  const parts = color.map(v => {
    v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}
function ratio(a, b) {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}
function ground(element, view) {
  for (let e = element; e; e = e.parentElement) {
    const color = rgb(view.getComputedStyle(e).backgroundColor);
    if (color) return color;
  }
  return [255, 255, 255];
}
function nameOf(e, page) {
  const by = e.getAttribute('aria-labelledby');
  return e.getAttribute('aria-label') || (by && page.getElementById(by)?.textContent)
    || (e.tagName === 'SUMMARY' && e.textContent);
}
function measure(frame, told) {
  const view = frame.contentWindow, page = frame.contentDocument, width = frame.clientWidth;
  const brief = e => e.outerHTML.slice(0, 80);
  if (page.documentElement.scrollWidth > width) {
    const wide = [...page.body.querySelectorAll('*')]
      .filter(e => e.getBoundingClientRect().right > width && !e.closest('pre, .scroll'));
    told.push(`${width}: overflows: ${wide.slice(0, 3).map(brief)}`);
  }
  for (const e of page.querySelectorAll('[tabindex="0"], [role="region"], section, summary')) {
    if (!(nameOf(e, page) || '').trim()) told.push(`no accessible name: ${brief(e)}`);
  }
  for (const e of page.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const contrast = ratio(rgb(view.getComputedStyle(e).color), ground(e, view));
    if (contrast < 4.5) told.push(`contrast ${contrast.toFixed(2)}: ${brief(e)}`);
  }
  [...page.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1]).reduce((last, level) => {
    if (level > last + 1) told.push(`h${last} then h${level}`);
    return level;
  }, 0);
  if (page.querySelectorAll('h1').length !== 1) told.push('not one h1');
  if (!page.documentElement.lang) told.push('no language');
  if (page.querySelectorAll('th:not([scope])').length) told.push('a th without scope');
}
addEventListener('load', () => {
  const told = [];
  for (const frame of document.querySelectorAll('iframe')) measure(frame, told);
  const text = `MEASURED ${told.length}\n${[...new Set(told)].join('\n')}\nEND`;
  document.body.replaceChildren(document.createTextNode(text));
});
