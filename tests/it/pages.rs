//! The pages in a browser: axe finds nothing serious by day or by night, nothing hangs over the edge of a phone, and
//! all of it is small. Needs chromium, chromedriver, and axe-core's source at `PERIGEE_AXE` (`npm install axe-core`);
//! without them it is skipped with a line that says so. Screenshots are left in the target folder, to be looked at: of
//! an empty server, and of the sample once its story is told to the end, with what the story lacks beside it.

mod browser;
mod estate;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use testkit::skip;

use self::{
    browser::{Browser, LOOKS},
    estate::Estate,
};
use crate::process::Place;

/// A page may have this many bytes, with its style sheet.
const LARGEST: usize = 100 * 1000;

/// Where the pages are routed.
const ROUTES: &str = include_str!("../../functions/api/src/pages.rs");

/// What axe says that is serious: the rule, what it is about, and the places.
const AXE: &str = r"
    const done = arguments[arguments.length - 1];
    const serious = violation => ['serious', 'critical'].includes(violation.impact);
    const place = ({target, any}) => `${target} (${any.map(check => check.message)})`;
    const say = ({id, help, nodes}) => `${id}: ${help} at ${nodes.map(place).join('; ')}`;
    axe.run(document, {resultTypes: ['violations']})
        .then(({violations, passes}) => done([passes.length, ...violations.filter(serious).map(say)]))
        .catch(error => done([0, String(error)]));
";

/// The source of axe-core; `None`, with a printed line, where it is not.
#[expect(clippy::disallowed_methods, reason = "the tests' own setting")]
fn axe() -> Option<String> {
    let Ok(path) = std::env::var("PERIGEE_AXE") else {
        skip("PERIGEE_AXE does not name axe.min.js: npm install axe-core");
        return None;
    };
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}")))
}

/// What is wrong with a page, seen in every way; screenshots of it go to `folder`.
fn faults(browser: &Browser, axe: &str, url: &str, name: &str, folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for look in &LOOKS {
        browser.look(look);
        browser.open(url);
        browser.screenshot(&folder.join(format!("{name}-{}.png", look.name)));
        // Whether what can be opened is closed or open.
        for open in [false, true] {
            browser.run(&format!("for (const it of document.querySelectorAll('details')) it.open = {open}"));
            let width = browser.run("return Math.max(document.documentElement.scrollWidth, innerWidth)");
            if width != json!(look.size.0) {
                faults.push(format!("{name}, {}: {width} pixels wide on {}", look.name, look.size.0));
            }
        }
        browser.run(axe);
        let found = browser.post("/execute/async", &json!({"script": AXE, "args": []}));
        let found = found.as_array().unwrap();
        assert!(found[0].as_u64().unwrap() > 10, "axe looked at nothing: {found:?}");
        faults.extend(found[1..].iter().map(|it| format!("{name}, {}: {}", look.name, it.as_str().unwrap())));
    }
    faults
}

/// What is wrong with what the server sends for a page.
fn weight(place: &Place, path: &str, status: u16) -> Vec<String> {
    let answer = place.get(path);
    assert_eq!(answer.status, status, "{path}");
    let links = answer.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let style =
        links.filter(|link| link.starts_with("/assets/app.css")).map(|link| place.get(link).text.len());
    let whole = answer.text.len() + style.sum::<usize>();
    println!("{path}: {whole} bytes with its style sheet");
    let mut faults = Vec::new();
    if whole >= LARGEST {
        faults.push(format!("{path} has {whole} bytes"));
    }
    if answer.text.contains("<script") {
        faults.push(format!("{path} has a script"));
    }
    faults
}

/// The routes that answer with a page.
fn routes() -> Vec<&'static str> {
    let routes = ROUTES.split(".route(").skip(1).map(|route| {
        let route = route.split("#[cfg(test)]").next().unwrap();
        let path = route.split('"').nth(1).unwrap_or_else(|| panic!("a route without a path: {route}"));
        (path, route.contains("get("))
    });
    let pages: Vec<_> =
        routes.filter(|(path, get)| *get && !path.starts_with("/assets/")).map(|(path, _)| path).collect();
    assert!(pages.contains(&"/") && pages.contains(&"/manifests/{kind}/{name}"), "{pages:?}");
    pages
}

/// Whether a path is served by a route.
fn leads(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(path).all(|(is, was)| is.starts_with('{') || *is == was)
}

/// Pages that were looked at, and what is wrong with them.
struct Gallery<'a> {
    browser: &'a Browser,
    axe: &'a str,
    folder: &'a Path,
    names: BTreeSet<String>,
    seen: Vec<String>,
    faults: Vec<String>,
}

impl Gallery<'_> {
    /// Looks at a page in every way.
    fn see(&mut self, place: &Place, name: &str, path: &str, status: u16) {
        assert!(self.names.insert(name.to_owned()), "two pictures are called {name}");
        self.faults.extend(weight(place, path, status));
        let url = format!("{}{path}", place.url());
        self.faults.extend(faults(self.browser, self.axe, &url, name, self.folder));
        if status == 200 {
            self.seen.push(path.to_owned());
        }
    }

    /// The routes of pages of which there is no picture.
    fn unseen(&self) -> Vec<&'static str> {
        let seen = |route: &&str| self.seen.iter().any(|path| leads(route, path));
        routes().into_iter().filter(|route| !seen(route)).collect()
    }
}

#[test]
fn no_page_is_hard_to_read_wide_or_heavy() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start()) else { return };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    println!("screenshots: {}", folder.display());
    let (names, seen, faults) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut gallery = Gallery { browser: &browser, axe: &axe, folder: &folder, names, seen, faults };
    let empty = Place::new();
    let server = empty.up(&["--no-sample"]);
    for path in EMPTY {
        gallery.see(&empty, &format!("empty{}", path.replace('/', "-")), path, 200);
    }
    server.stop();
    let place = Place::new();
    let server = place.up(&[]);
    let estate = Estate::told(&place);
    for (name, path, status) in LISTS {
        gallery.see(&place, name, path, status);
    }
    for (name, path) in estate.pages() {
        gallery.see(&place, name, &path, 200);
    }
    let faults = &gallery.faults;
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(gallery.unseen(), Vec::<&str>::new(), "no picture shows these routes");
    server.stop();
}

/// What is looked at while there is nothing.
const EMPTY: [&str; 10] = [
    "/",
    "/resources",
    "/changes",
    "/health",
    "/checks",
    "/runs",
    "/deliveries",
    "/manifests",
    "/sources",
    "/rejected",
];

/// Lists and what is wrong with what was asked of them: the picture, the path, the status.
const LISTS: [(&str, &str, u16); 27] = [
    ("home", "/", 200),
    ("resources", "/resources", 200),
    ("resources-searched", "/resources?q=type%3DAWS%3A%3AECS%3A%3A*%20checkout", 200),
    ("resources-deleted", "/resources?q=type%3DAWS%3A%3AEC2%3A%3AInstance&include_deleted=true", 200),
    ("resources-none", "/resources?q=name%3Dno-such-name", 200),
    ("resources-wrong", "/resources?q=type%3D", 400),
    ("changes", "/changes", 200),
    ("changes-searched", "/changes?q=category%3Dsecurity&since=24h", 200),
    ("changes-wrong", "/changes?q=category%3D", 400),
    ("health", "/health", 200),
    ("health-by-type", "/health?by=type", 200),
    ("health-all", "/health?q=health%3D*", 200),
    ("health-wrong", "/health?q=health%3D", 400),
    ("checks", "/checks", 200),
    ("runs", "/runs", 200),
    ("runs-failed", "/runs?q=state%3Dfailed", 200),
    ("runs-wrong", "/runs?q=state%3D", 400),
    ("deliveries", "/deliveries", 200),
    ("deliveries-suppressed", "/deliveries?q=state%3Dsuppressed", 200),
    ("deliveries-wrong", "/deliveries?q=state%3D", 400),
    ("manifests", "/manifests", 200),
    ("manifests-of-a-kind", "/manifests?kind=Silence", 200),
    ("sources", "/sources", 200),
    ("rejected", "/rejected", 200),
    ("no-page", "/no-such-page", 404),
    ("no-resource", "/resources/no-such-resource", 404),
    ("no-kind", "/manifests?kind=Nothing", 404),
];
