//! Which names mean that their value is a secret. Names are compared without case, `_`, `-`, `.` and blanks.

/// Names whose whole value is a secret.
const EXACT: &[&str] = &[
    "auth",
    "authenticationcode1",
    "authenticationcode2",
    "authorization",
    "base32stringseed",
    "bearer",
    "ciphertextkey",
    "connectionstring",
    "cookie",
    "credential",
    "credentials",
    "customergatewayconfiguration",
    "dockerconfigjson",
    "dsn",
    "encryptedkeymaterial",
    "hmackey",
    "importtoken",
    "keymaterial",
    "mfacode",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "plaintext",
    "presharedkey",
    "privatekey",
    "privatekeymaterial",
    "privatekeyplaintext",
    "proxyauthorization",
    "pwd",
    "qrcodepng",
    "samlassertion",
    "secret",
    "secretbinary",
    "secrethash",
    "secretstring",
    "secretvalue",
    "setcookie",
    "signature",
    "sshkey",
    "token",
    "tokencode",
    "tokens",
    "userdata",
    "xapikey",
];

/// Endings of names whose whole value is a secret: `dbPassword`, `githubApiKey`, `awsSecretAccessKey`.
const ENDINGS: &[&str] = &[
    "accesstoken",
    "apikey",
    "apikeyvalue",
    "apitoken",
    "authtoken",
    "clientsecret",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "secretaccesskey",
    "secretkey",
    "secretstring",
    "sharedkey",
    "signingkey",
    "token",
];

/// Names that end like a secret and are none: tokens that only make a call repeatable or a list continue, and things
/// named after a secret.
const HARMLESS: &[&str] = &[
    "changetoken",
    "clientrequesttoken",
    "clienttoken",
    "continuationtoken",
    "creationtoken",
    "idempotencytoken",
    "locktoken",
    "nextbackwardtoken",
    "nextforwardtoken",
    "nexttoken",
    "paginationtoken",
    "previoustoken",
    "requesttoken",
    "updatetoken",
];

/// Fields inside a secret's object that say which secret it is, not what it says.
const IDENTIFYING: &[&str] = &[
    "accesskeyid",
    "arn",
    "authscheme",
    "createdate",
    "defaultmode",
    "expiration",
    "expiresat",
    "id",
    "iamauth",
    "kmskeyid",
    "name",
    "optional",
    "secretarn",
    "secretid",
    "secretname",
    "secretstatus",
    "status",
    "type",
    "username",
    "valuefrom",
];

/// Parts of the names of settings, variables and parameters that make their value a secret. Wider than the lists of
/// field names, because people name these, and not AWS.
const SUSPICIOUS: &[&str] = &[
    "apikey",
    "accesskey",
    "authkey",
    "connectionstring",
    "connstr",
    "credential",
    "databaseurl",
    "dsn",
    "encryptionkey",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "signingkey",
    "token",
    "webhookurl",
];

/// Lists or maps of environment variables: their names stay, their values go.
const ENVIRONMENTS: &[&str] = &[
    "env",
    "environment",
    "environmentvariables",
    "environmentvariablesoverride",
    "envvars",
    "runtimeenvironmentvariables",
];

/// A name as the lists spell it.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Parts of names that speak about passwords without being one: their policy, age, and what happened to them.
const ABOUT_PASSWORDS: &[&str] = &[
    "passwordage",
    "passwordenabled",
    "passwordexpir",
    "passwordhistory",
    "passwordlast",
    "passwordlength",
    "passwordnext",
    "passwordpolicy",
    "passwordrecovery",
    "passwordreset",
    "passwordreuse",
    "passwordstatus",
    "passwordupdated",
];

/// Whether a field of this folded name holds a secret. A number at its end only tells it from its like.
pub(super) fn is_secret(folded: &str) -> bool {
    let name = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let holds = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    EXACT.contains(&name)
        || EXACT.contains(&folded)
        || (ends(ENDINGS) && !HARMLESS.contains(&name))
        || (holds(&["password", "passwd", "passphrase"]) && !holds(ABOUT_PASSWORDS))
}

/// Whether a setting, variable or parameter of this folded name probably holds a secret.
pub(super) fn is_suspicious(folded: &str) -> bool {
    is_secret(folded) || (SUSPICIOUS.iter().any(|part| folded.contains(part)) && !folded.ends_with("arn"))
}

/// Whether a field inside a secret's object only says which secret it is.
pub(super) fn is_identifying(folded: &str) -> bool {
    IDENTIFYING.contains(&folded)
}

/// Whether a field of this folded name holds environment variables.
pub(super) fn is_environment(folded: &str) -> bool {
    ENVIRONMENTS.contains(&folded)
}
