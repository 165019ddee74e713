//! The page of a plan in a real browser: Chromium, headless, without network.
//!
//! A wrapper holds the page in frames of several widths and measures it there; the page itself
//! stays as it is. The browser comes with the test command (`tests/run`).

use std::path::Path;
use std::process::Command;

use lockwise::plan::Plan;
use lockwise::report::plan_html;

fn page() -> String {
    let plan: Plan =
        serde_json::from_str(include_str!("../../testdata/plan/careful.json")).unwrap();
    let mut out = Vec::new();
    plan_html(&plan, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What is measured in each frame; every complaint is a line of the body.
const MEASURE: &str = r#"
function rgb(text) { const m = text.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m.slice(0, 3); }
function light(c) { const f = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; }
function ratio(a, b) { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); }
function ground(element, view) { for (let e = element; e; e = e.parentElement) { const c = rgb(view.getComputedStyle(e).backgroundColor); if (c) return c; } return [255, 255, 255]; }
function measure(frame, told) {
  const view = frame.contentWindow, page = frame.contentDocument, width = frame.clientWidth;
  if (page.documentElement.scrollWidth > width) {
    const wide = [...page.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width && !e.closest('pre, .scroll'));
    told.push(`${width}: overflows to ${page.documentElement.scrollWidth}: ${wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80))}`);
  }
  for (const e of page.querySelectorAll('[tabindex="0"], [role="region"], section, summary')) {
    const by = e.getAttribute('aria-labelledby');
    const name = e.getAttribute('aria-label') || (by && page.getElementById(by)?.textContent) || (e.tagName === 'SUMMARY' && e.textContent);
    if (!name || !name.trim()) told.push(`no accessible name: ${e.outerHTML.slice(0, 80)}`);
  }
  for (const e of page.body.querySelectorAll('*')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own) continue;
    const c = ratio(rgb(view.getComputedStyle(e).color), ground(e, view));
    if (c < 4.5) told.push(`contrast ${c.toFixed(2)}: ${e.outerHTML.slice(0, 80)}`);
  }
  const headings = [...page.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1]);
  headings.reduce((last, level) => { if (level > last + 1) told.push(`h${last} then h${level}`); return level; }, 0);
  if (page.querySelectorAll('h1').length !== 1) told.push('not one h1');
  if (!page.documentElement.lang) told.push('no language');
  if (page.querySelectorAll('th:not([scope])').length) told.push('a th without scope');
}
addEventListener('load', () => {
  const told = [];
  for (const frame of document.querySelectorAll('iframe')) measure(frame, told);
  document.body.replaceChildren(document.createTextNode(`MEASURED ${told.length}\n` + [...new Set(told)].join('\n') + '\nEND'));
});
"#;

fn browser(folder: &Path, arguments: &[&str]) -> (String, String) {
    let name = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
        .expect("no browser: install the package chromium, or run tests/run, which does");
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let output = Command::new(name)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--enable-logging=stderr", &profile])
        .args(arguments)
        .env("HOME", folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_page_of_a_plan_reads_well_at_every_width_in_light_and_dark() {
    let folder = tempfile::tempdir().unwrap();
    let page = page();
    let escaped = page.replace('&', "&amp;").replace('"', "&quot;");
    let frames: String = [360, 800, 1440]
        .map(|width| {
            format!("<iframe style=\"width:{width}px;height:900px;border:0\" srcdoc=\"{escaped}\"></iframe>")
        })
        .concat();
    let wrapper = folder.path().join("wrapper.html");
    let meta = "<!doctype html><meta charset=utf-8><meta name=color-scheme content='light dark'>";
    std::fs::write(&wrapper, format!("{meta}<body>{frames}<script>{MEASURE}</script>")).unwrap();
    let url = format!("file://{}", wrapper.display());
    // 1 is light, 0 is dark (Chromium, `PreferredColorScheme`).
    for scheme in ["1", "0"] {
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        let (dom, log) = browser(folder.path(), &[&scheme, "--dump-dom", &url]);
        let told = dom.split("MEASURED ").nth(1).and_then(|rest| rest.split("\nEND").next());
        assert_eq!(told.map(str::trim), Some("0"), "{scheme}\n{dom}\n{log}");
        assert!(!log.contains("CONSOLE"), "{log}");
    }
    let (file, pdf) = (folder.path().join("page.html"), folder.path().join("page.pdf"));
    std::fs::write(&file, &page).unwrap();
    let print = format!("--print-to-pdf={}", pdf.display());
    browser(folder.path(), &[&print, &format!("file://{}", file.display())]);
    let printed = std::fs::read(&pdf).unwrap();
    assert!(printed.starts_with(b"%PDF"));
}
