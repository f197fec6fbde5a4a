//! The pages in a browser: axe finds nothing serious by day or by night, nothing hangs over the edge of a phone, and
//! all of it is small. Needs chromium, chromedriver, and axe-core's source at `PERIGEE_AXE` (`npm install axe-core`);
//! without them it is skipped with a line that says so. Screenshots are left in the target folder, to be looked at.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use testkit::skip;

use crate::process::Place;

/// A page may have this many bytes, with its style sheet.
const LARGEST: usize = 100 * 1000;

const CHROMIUM: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

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

/// A browser, driven over chromedriver's HTTP API.
struct Browser {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None`, with a printed line, where there is none.
    fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut driver) = command.spawn() else {
            skip("chromedriver is not installed: apt-get install chromium chromium-driver");
            return None;
        };
        let port =
            BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok).find_map(|line| {
                line.split_once("started successfully on port ")
                    .map(|(_, port)| port.trim_end_matches('.').to_owned())
            });
        let port = port.expect("chromedriver should say where it listens");
        let profile = tempfile::tempdir().unwrap();
        let mut arguments = CHROMIUM.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": {"args": arguments}});
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, session, _profile: profile };
        let made = browser.post("", &json!({"capabilities": {"alwaysMatch": wanted}}));
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        Some(browser)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let sent = ureq::Agent::from(config).post(format!("{}{path}", self.session)).send_json(body);
        let mut answer = sent.unwrap();
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
        let answered: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.status().is_success(), "{path}: {answered:#}");
        answered["value"].clone()
    }

    fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// What a script returns.
    fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of Chromium's own.
    fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    fn look(&self, look: &Look) {
        let features = json!([{"name": "prefers-color-scheme", "value": look.scheme}]);
        self.command("Emulation.setEmulatedMedia", &json!({"features": features}));
        let (width, height) = look.size;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": look.mobile});
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    fn screenshot(&self, path: &Path) {
        let taken = self.command("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        fs::write(path, BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(ureq::delete(&self.session).call());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// How a page is looked at.
struct Look {
    name: &'static str,
    scheme: &'static str,
    size: (u32, u32),
    mobile: bool,
}

const LOOKS: [Look; 3] = [
    Look { name: "light", scheme: "light", size: (1280, 900), mobile: false },
    Look { name: "dark", scheme: "dark", size: (1280, 900), mobile: false },
    Look { name: "phone", scheme: "light", size: (390, 844), mobile: true },
];

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

#[test]
fn no_page_is_hard_to_read_wide_or_heavy() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start()) else { return };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).unwrap();
    println!("screenshots: {}", folder.display());
    let place = Place::new();
    let server = place.up(&["--no-sample"]);
    let mut found = Vec::new();
    let mut check = |name: &str, path: &str, status: u16| {
        found.extend(weight(&place, path, status));
        found.extend(faults(&browser, &axe, &format!("{}{path}", place.url()), name, &folder));
    };
    for path in
        ["/", "/resources", "/changes", "/health", "/checks", "/runs", "/deliveries", "/sources", "/rejected"]
    {
        check(&format!("empty{}", path.replace('/', "-")), path, 200);
    }
    place.say(&["reset", "--sample"]);
    let broken = place.path().join("broken.jsonl");
    fs::write(&broken, "{\"neither\": \"event\"}\n{\"cut\": \n").unwrap();
    place.feed(&[broken]);
    for (name, path) in [
        ("home", "/"),
        ("resources", "/resources"),
        ("changes", "/changes"),
        ("health", "/health"),
        ("health-by-type", "/health?by=type"),
        ("checks", "/checks"),
        ("runs", "/runs"),
        ("deliveries", "/deliveries"),
        ("manifests", "/manifests"),
        ("sources", "/sources"),
        ("rejected", "/rejected"),
    ] {
        check(name, path, 200);
    }
    check("chosen", "/resources?q=type%3DAWS%3A%3AECS%3A%3A*", 200);
    check("wrong-search", "/resources?q=type%3D", 400);
    for (name, list, page) in FIRST_OF {
        if let Some(id) = first(&place, list) {
            check(name, &format!("{page}{id}"), 200);
        }
    }
    check("nothing", "/no-such-page", 404);
    check("no-resource", "/resources/no-such-resource", 404);
    // The one with a past, relations, changes and a finding; and one that nothing is known about but its document.
    check("security-group", "/resources/sg-0c5a7e9d1f3b42683", 200);
    check("service", &format!("/resources/{}", service(&place)), 200);
    assert!(found.is_empty(), "{found:#?}");
    server.stop();
}

/// Lists of which the first item has a page of its own: the page's name, the list, and where the page is.
const FIRST_OF: [(&str, &str, &str); 4] = [
    ("run", "/api/v1/runs?limit=1", "/runs/"),
    ("delivery", "/api/v1/deliveries?limit=1", "/deliveries/"),
    ("check", "/api/v1/checks?limit=1", "/checks/"),
    ("playbook", "/api/v1/manifests?kind=Playbook&limit=1", "/manifests/Playbook/"),
];

/// What names the first item of a list; `None`, with a printed line, while the sample has none.
fn first(place: &Place, list: &str) -> Option<String> {
    let answer = place.get(list);
    let items = if answer.status == 200 { answer.json()["items"].clone() } else { Value::Null };
    let name = items[0]["name"].as_str().or(items[0]["id"].as_str()).map(str::to_owned);
    if name.is_none() {
        println!("the sample has nothing in {list}");
    }
    name
}

/// The id of the service that breaks in the sample.
fn service(place: &Place) -> String {
    let found = place.get("/api/v1/resources?q=type%3DAWS%3A%3AECS%3A%3AService%20name%3Dcheckout").json();
    found["items"][0]["id"].as_str().unwrap().to_owned()
}
