//! Against moto.

use ports::Secrets as _;
use testkit::Moto;

use super::*;
use crate::cloud::tests::config;

fn secret(key: Option<&str>) -> SecretRef {
    SecretRef::SecretsManager { id: "shop/db".to_owned(), key: key.map(str::to_owned) }
}

#[tokio::test]
async fn secrets_and_parameters_are_read_at_use_and_what_is_missing_is_said() {
    let Some(moto) = Moto::start() else { return };
    let config = config(&moto.endpoint()).await;
    let secrets = Secrets::new(&config);
    let missing = secrets.read(&secret(None)).await.unwrap_err();
    assert_eq!(missing.to_string(), "the secret shop/db of Secrets Manager does not exist");

    let text = r#"{"password": "correct horse", "port": 5432, "hosts": []}"#;
    let manager = aws_sdk_secretsmanager::Client::new(&config);
    manager.create_secret().name("shop/db").secret_string(text).send().await.unwrap();
    assert_eq!(secrets.read(&secret(None)).await.unwrap().expose(), text);
    assert_eq!(secrets.read(&secret(Some("password"))).await.unwrap().expose(), "correct horse");
    assert_eq!(secrets.read(&secret(Some("port"))).await.unwrap().expose(), "5432");
    for key in ["hosts", "user"] {
        let missing = secrets.read(&secret(Some(key))).await.unwrap_err();
        assert!(matches!(missing, SecretError::Missing(_)), "{key}: {missing}");
    }

    let parameters = aws_sdk_ssm::Client::new(&config);
    let kind = aws_sdk_ssm::types::ParameterType::SecureString;
    parameters.put_parameter().name("/shop/token").value("t0ken").r#type(kind).send().await.unwrap();
    let token = SecretRef::Ssm("/shop/token".to_owned());
    assert_eq!(secrets.read(&token).await.unwrap().expose(), "t0ken");
    manager.put_secret_value().secret_id("shop/db").secret_string("new").send().await.unwrap();
    assert_eq!(secrets.read(&secret(None)).await.unwrap().expose(), "new", "it is not kept");
    let elsewhere = secrets.read(&SecretRef::Env("HOME".to_owned())).await.unwrap_err();
    assert!(matches!(elsewhere, SecretError::NotConfigured(_)), "{elsewhere}");
}
