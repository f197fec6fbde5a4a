//! Secrets that manifests refer to: read at use, sent to where they belong, and left nowhere else.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Garden, Inspector, far_end::FarEnd};
use crate::process::{Answer, Place};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(60);
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PLAYBOOK: &str = "use-secrets";

/// The token is written whole and in two pieces, far enough apart to be kept apart.
const SCRIPT: &str = r#"
    echo "out $TOKEN"
    echo "err $TOKEN $OTHER" >&2
    half=$(( ${#TOKEN} / 2 ))
    printf 'two %s' "${TOKEN:0:half}"
    sleep 1
    printf '%s\n' "${TOKEN:half}"
"#;
const SAID: &str = "out ***\ntwo ***\n";

/// What is to be done with secrets.
pub(super) struct Work {
    far_end: FarEnd,
    folder: std::path::PathBuf,
    /// The variables of the server.
    pub(super) variables: Vec<(String, String)>,
    manifests: Vec<Value>,
    /// Where the parameter's value is kept.
    token: Value,
    /// Markers that the far end has to see: otherwise nothing was shown.
    sent: Vec<String>,
    /// What is refused, with the type of the body.
    literals: Vec<(&'static str, String, &'static str, String)>,
}

fn manifest(kind: &str, name: &str, spec: Value) -> Value {
    let mut manifest = json!({"apiVersion": "perigee.dev/v1", "kind": kind, "metadata": {"name": name}});
    manifest["spec"] = spec;
    manifest
}

impl Work {
    /// Plants its secrets in variables and in files below `folder`.
    pub(super) fn plant(garden: &mut Garden, folder: &Path) -> Self {
        let mut work = Self {
            far_end: FarEnd::start(),
            folder: folder.to_owned(),
            variables: Vec::new(),
            manifests: Vec::new(),
            token: Value::Null,
            sent: Vec::new(),
            literals: Vec::new(),
        };
        work.connections(garden);
        work.playbook(garden);
        work.watchers(garden);
        work.literals(garden);
        work
    }

    /// A secret that is sent.
    fn marker(&mut self, garden: &mut Garden, place: &str) -> String {
        let marker = garden.marker(place);
        self.sent.push(marker.clone());
        marker
    }

    /// Keeps a text in a variable of the server; says where.
    fn variable(&mut self, text: String) -> Value {
        let name = format!("PLANTED_{}", self.variables.len());
        self.variables.push((name.clone(), text));
        json!({"env": name})
    }

    /// Keeps a text in a file, as editors do: with a line's end. Says where.
    fn file(&self, name: &str, text: &str) -> Value {
        let path = self.folder.join(name);
        fs::write(&path, format!("{text}\n")).unwrap();
        json!({"file": path})
    }

    fn connections(&mut self, garden: &mut Garden) {
        let url = self.far_end.url();
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let header = self.marker(garden, "header of a connection");
        let header = self.variable(header);
        let bearer = self.marker(garden, "bearer token of a connection");
        let bearer = self.file("bearer", &bearer);
        let api = json!({"http": {"url": url, "headers": {"x-key": header}, "bearer": bearer}});

        let password = garden.marker("password of a connection");
        self.sent.push(BASE64_STANDARD.encode(format!("shop:{password}")));
        let password = self.variable(password);
        let basic = json!({"http": {"url": url, "basic": {"username": "shop", "password": password}}});

        let nowhere = |garden: &mut Garden, of: &str| {
            let path = garden.marker(&format!("path of an address of {of} where nothing listens"));
            let query = garden.marker(&format!("query of an address of {of} where nothing listens"));
            format!("{closed}/{path}?key={query}")
        };
        let address = nowhere(garden, "an API");
        let gone = json!({"http": {"url": self.variable(address)}});
        let address = nowhere(garden, "a webhook");
        let nobody = json!({"webhook": {"url": self.variable(address)}});

        let path = self.marker(garden, "path of a webhook");
        let query = self.marker(garden, "query of a webhook");
        let address = self.variable(format!("{url}/refuse/{path}?key={query}"));
        let key = BASE64_STANDARD.encode(garden.marker("signing key of a webhook"));
        let key = self.file("key", &format!("whsec_{key}"));
        let header = self.marker(garden, "header of a webhook");
        let header = self.variable(header);
        let hook = json!({"webhook": {"url": address, "secret": key, "headers": {"x-hook": header}}});

        let path = self.marker(garden, "address of a Slack webhook");
        let address = self.variable(format!("{url}/refuse/{path}"));
        let slack = json!({"slack": {"url": address}});
        for (name, spec) in [
            ("api", api),
            ("basic", basic),
            ("gone", gone),
            ("nobody", nobody),
            ("hook", hook),
            ("slack", slack),
        ] {
            self.manifests.push(manifest("Connection", name, spec));
        }
    }

    fn playbook(&mut self, garden: &mut Garden) {
        let token = self.marker(garden, "parameter of a run");
        self.token = self.variable(token);
        let header = self.marker(garden, "header of a step");
        let header = self.variable(header);
        let other = garden.marker("variable of a script");
        let other = self.file("other", &other);
        let token = "${{ params.token }}";
        let odd = "int(response.json.headers.authorization) == 1";
        let step = |name: &str, kind: &str, what: Value| {
            let mut step = json!({"name": name, "needs": []});
            step[kind] = what;
            step
        };
        let mut after = step(
            "after",
            "exec",
            json!({"script": "echo \"$SEEN\"", "env": {"SEEN": "${{ steps.echo.output }} ${{ steps.script.output }}"}}),
        );
        after["needs"] = json!(["echo", "script"]);
        let steps = [
            step(
                "echo",
                "http",
                json!({
                    "connection": "api", "url": "/echo", "method": "POST", "body": format!("token={token}"),
                    "headers": {"x-token": token, "x-ref": header},
                }),
            ),
            step("basic", "http", json!({"connection": "basic", "url": "/echo"})),
            // The answer is longer than what is kept, and the token stands where it is cut.
            step("long", "http", json!({"connection": "api", "url": "/long"})),
            step("odd", "http", json!({"connection": "api", "url": "/echo", "expect": odd})),
            step("refused", "http", json!({"connection": "api", "url": "/refuse"})),
            step("gone", "http", json!({"connection": "gone", "url": "/below"})),
            step("script", "exec", json!({"script": SCRIPT, "env": {"TOKEN": token, "OTHER": other}})),
            step(
                "fails",
                "exec",
                json!({"script": "echo \"no: $TOKEN\" >&2; exit 7", "env": {"TOKEN": token}}),
            ),
            after,
        ];
        let parameters = json!([{"name": "token", "type": "secret", "required": true}]);
        self.manifests.push(manifest(
            "Playbook",
            PLAYBOOK,
            json!({"parameters": parameters, "steps": steps}),
        ));
    }

    /// Checks, and who is told.
    fn watchers(&mut self, garden: &mut Garden) {
        let header = self.marker(garden, "header of a check");
        let header = self.variable(header);
        let check = |connection: &str, expect: &str| json!({"every": "1h", "http": {"connection": connection, "url": "/echo", "expect": expect}});
        let mut with_header = check("basic", "response.headers['x-echo'] == 'x'");
        with_header["http"]["headers"] = json!({"x-check": header});
        for (name, spec) in [
            ("echo", check("api", "response.body == 'ok'")),
            ("odd", check("api", "int(response.json.headers.authorization) == 1")),
            ("basic", with_header),
            ("gone", check("gone", "true")),
        ] {
            self.manifests.push(manifest("Check", name, spec));
        }
        let to = ["hook", "nobody", "slack"];
        let spec = json!({"on": ["run.completed", "run.failed", "check.failed"], "to": to});
        self.manifests.push(manifest("Notification", "tell", spec));
    }

    /// Secrets where only references to secrets may be.
    fn literals(&mut self, garden: &mut Garden) {
        let runs = format!("/api/v1/playbooks/{PLAYBOOK}/runs");
        let body = json!({"parameters": {"token": garden.marker("literal parameter of a run")}});
        self.literals.push(("a run", runs.clone(), JSON, body.to_string()));
        let body = json!({"parameters": {"token": {"env": [garden.marker("reference of a wrong shape")]}}});
        self.literals.push(("a reference", runs, JSON, body.to_string()));
        let body = format!("key=once&p.token={}", garden.marker("literal parameter in a form"));
        self.literals.push(("a form", format!("/playbooks/{PLAYBOOK}/runs"), FORM, body));

        let bearer = garden.marker("literal bearer token");
        let password = garden.marker("literal password");
        let key = garden.marker("literal signing key");
        let slack = format!("https://hooks.example.com/{}", garden.marker("literal Slack address"));
        let default = garden.marker("literal default of a parameter");
        let of_a_trigger = garden.marker("literal parameter of a trigger");
        let parameter = |name: &str| json!({"name": name, "type": "secret"});
        let mut with_default = parameter("token");
        with_default["default"] = json!(default);
        let wait = json!([{"name": "wait", "wait": {"for": "1s"}}]);
        let schedule = json!({"every": "1h", "parameters": {"token": of_a_trigger}});
        let address = "https://api.example.com";
        for (what, kind, spec) in [
            ("bearer", "Connection", json!({"http": {"url": address, "bearer": bearer}})),
            (
                "password",
                "Connection",
                json!({"http": {"url": address, "basic": {"username": "shop", "password": {"text": password}}}}),
            ),
            ("key", "Connection", json!({"webhook": {"url": address, "secret": key}})),
            ("slack", "Connection", json!({"slack": {"url": slack}})),
            ("default", "Playbook", json!({"parameters": [with_default], "steps": wait})),
            (
                "schedule",
                "Playbook",
                json!({"on": {"schedules": [schedule]}, "parameters": [parameter("token")], "steps": wait}),
            ),
        ] {
            let body = manifest(kind, what, spec).to_string();
            self.literals.push((what, "/api/v1/manifests".to_owned(), JSON, body));
        }
    }

    /// Does all of it, and waits for its end.
    pub(super) fn run(&self, place: &Place, inspector: &mut Inspector) {
        let path = self.folder.join("manifests.json");
        fs::write(&path, Value::from(self.manifests.clone()).to_string()).unwrap();
        let path = path.to_str().unwrap();
        let commands: [&[&str]; 4] =
            [&["lint", path], &["plan", "--file", path], &["apply", "--file", path], &["get"]];
        for command in commands {
            let printed = place.run(command);
            // `plan` says by its status that something would change.
            assert!(matches!(printed.status.code(), Some(0 | 3)), "{command:?}: {printed:?}");
            inspector.inspect(command[0], &format!("{printed:?}"));
        }
        let runs = format!("/api/v1/playbooks/{PLAYBOOK}/runs");
        for (what, path, kind, body) in &self.literals {
            let refused = send(place, path, kind, body);
            inspector.inspect(&format!("how {what} is refused"), &refused.text);
            assert!(matches!(refused.status, 400 | 422), "{what}: {refused:?}");
        }
        let started = send(place, &runs, JSON, &json!({"parameters": {"token": self.token}}).to_string());
        assert_eq!(started.status, 202, "{started:?}");
        let id = started.json()["id"].as_str().unwrap().to_owned();
        settle(place, &id);
        self.verify(place, &id);
    }

    /// The secrets were used: they arrived, and the scripts had them.
    fn verify(&self, place: &Place, run: &str) {
        let arrived = self.far_end.arrived();
        for marker in &self.sent {
            assert!(arrived.contains(marker.as_str()), "{marker} was not sent: {arrived}");
        }
        assert!(arrived.contains("webhook-signature"), "nothing was signed: {arrived}");
        let detail = place.get(&format!("/api/v1/runs/{run}")).json();
        let step = |name: &str| {
            let steps = detail["steps"].as_array().unwrap();
            steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{detail:#}")).clone()
        };
        let states = [
            ("echo", "completed"),
            ("basic", "completed"),
            ("long", "completed"),
            ("odd", "failed"),
            ("refused", "failed"),
            ("gone", "failed"),
            ("script", "completed"),
            ("fails", "failed"),
            ("after", "completed"),
        ];
        for (name, state) in states {
            assert_eq!(step(name)["state"], state, "{name} of {detail:#}");
        }
        let output = place.get(&format!("/api/v1/runs/{run}/output?step=script")).json();
        let pieces = output["items"].as_array().unwrap().iter();
        let said = |stream: &str| -> String {
            let of = pieces.clone().filter(|piece| piece["stream"] == stream);
            of.map(|piece| piece["text"].as_str().unwrap()).collect()
        };
        assert_eq!((said("stdout").as_str(), said("stderr").as_str()), (SAID, "err *** ***\n"));
    }
}

/// Waits until the run ended, every check ran, and whoever is to be told of the run was tried.
fn settle(place: &Place, run: &str) {
    let began = Instant::now();
    loop {
        let items = |path: &str| place.get(&format!("/api/v1/{path}?limit=100")).json()["items"].clone();
        let all = |path: &str, least: usize, done: fn(&Value) -> bool| {
            let items = items(path);
            let items = items.as_array().unwrap();
            items.len() >= least && items.iter().all(done)
        };
        let ended = place.get(&format!("/api/v1/runs/{run}")).json();
        // Of the run and of each of the checks, three are told.
        if ended["ended_at"].is_string()
            && all("checks", 4, |check| check["ran_at"].is_string())
            && all("deliveries", 15, |delivery| delivery["attempts"] != json!(0))
        {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "it does not end: {ended:#}; {:#}; {:#}; {}",
            items("checks"),
            items("deliveries"),
            fs::read_to_string(place.log()).unwrap()
        );
        std::thread::park_timeout(Duration::from_millis(300));
    }
}

fn send(place: &Place, path: &str, kind: &str, body: &str) -> Answer {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let request = ureq::Agent::from(config).post(format!("{}{path}", place.url()));
    crate::process::read(request.content_type(kind).send(body).unwrap())
}
