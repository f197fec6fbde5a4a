//! A browser, driven over chromedriver's HTTP API, and the ways it looks at a page.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use testkit::skip;

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

/// A browser, driven over chromedriver's HTTP API.
pub(super) struct Browser {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None`, with a printed line, where there is none.
    pub(super) fn start() -> Option<Self> {
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

    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let sent = ureq::Agent::from(config).post(format!("{}{path}", self.session)).send_json(body);
        let mut answer = sent.unwrap();
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
        let answered: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.status().is_success(), "{path}: {answered:#}");
        answered["value"].clone()
    }

    pub(super) fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// What a script returns.
    pub(super) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of Chromium's own.
    fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    pub(super) fn look(&self, look: &Look) {
        let features = json!([{"name": "prefers-color-scheme", "value": look.scheme}]);
        self.command("Emulation.setEmulatedMedia", &json!({"features": features}));
        let (width, height) = look.size;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": look.mobile});
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    pub(super) fn screenshot(&self, path: &Path) {
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
pub(super) struct Look {
    pub(super) name: &'static str,
    scheme: &'static str,
    pub(super) size: (u32, u32),
    mobile: bool,
}

pub(super) const LOOKS: [Look; 3] = [
    Look { name: "light", scheme: "light", size: (1280, 900), mobile: false },
    Look { name: "dark", scheme: "dark", size: (1280, 900), mobile: false },
    Look { name: "phone", scheme: "light", size: (390, 844), mobile: true },
];
