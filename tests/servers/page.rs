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
const MEASURE: &str = include_str!("page.js");

fn browser(folder: &Path, arguments: &[&str]) -> (String, String) {
    let name = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
        .unwrap_or_else(|| panic!("no browser: install chromium, or run tests/run, which does"));
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
            let style = format!("width:{width}px;height:900px;border:0");
            format!("<iframe style=\"{style}\" srcdoc=\"{escaped}\"></iframe>")
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
