//! Connects to the API server: kubeconfig, context and flags work as in kubectl.

use std::{env, path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::failure::Failure;

/// Field manager of the plugin's writes.
pub(super) const MANAGER: &str = "kubectl-canary";

/// What the command line says about the connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Login {
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) context: Option<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) impersonate: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) uid: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) skip_tls_verify: bool,
    pub(crate) timeout: Option<Duration>,
}

/// A client, and the default namespace.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// The user, as far as the kubeconfig names one.
    pub(crate) user: String,
    /// The context of the kubeconfig.
    pub(crate) context: String,
    /// Address of the API server.
    pub(crate) server: String,
}

impl Login {
    /// The flags by which another command reaches the same cluster as the same user, each after a blank. A token is not among
    /// them.
    pub(crate) fn flags(&self) -> String {
        let kubeconfig = self.kubeconfig.as_ref().map(|path| path.display().to_string());
        let named = [
            ("--kubeconfig", &kubeconfig),
            ("--context", &self.context),
            ("--cluster", &self.cluster),
            ("--user", &self.user),
            ("--as", &self.impersonate),
            ("--as-uid", &self.uid),
            ("--server", &self.server),
        ];
        let named = named.into_iter().filter_map(|(flag, value)| Some((flag, value.clone()?)));
        let groups = self.groups.iter().map(|group| ("--as-group", group.clone()));
        let all = named.chain(groups);
        all.fold(String::new(), |all, (flag, value)| all + " " + flag + " " + &quoted(&value))
    }
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@=,+".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

impl Cluster {
    /// Reads the kubeconfig. Sends nothing yet.
    pub(crate) async fn connect(login: &Login) -> Result<Self, Failure> {
        let (mut config, context) = config(login).await?;
        config.default_retry = false;
        config.connect_timeout = Some(login.timeout.unwrap_or(Duration::from_secs(10)));
        let auth = &mut config.auth_info;
        if let Some(user) = &login.impersonate {
            auth.impersonate = Some(user.clone());
            auth.impersonate_groups = Some(login.groups.clone()).filter(|all| !all.is_empty());
            auth.impersonate_uid.clone_from(&login.uid);
        }
        if let Some(token) = &login.token {
            auth.token = Some(token.clone().into());
            auth.exec = None;
        }
        if let Some(server) = &login.server {
            config.cluster_url = server
                .parse()
                .map_err(|error| Failure::usage(format!("--server {server} is no URL: {error}")))?;
        }
        config.accept_invalid_certs |= login.skip_tls_verify;
        let namespace = login.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let user = env::var("USER").or_else(|_| env::var("USERNAME")).unwrap_or_else(|_| "somebody".into());
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| {
            Failure::failed(format!("cannot use the user of the context: {error}"))
                .hint("look at \"kubectl config view --minify\"")
        })?;
        Ok(Self { client, namespace, user: format!("{user}@{context}"), context, server })
    }
}

async fn config(login: &Login) -> Result<(Config, String), Failure> {
    let Some(file) = kubeconfig(login)? else {
        if let Some(server) = &login.server {
            let url = server
                .parse()
                .map_err(|error| Failure::usage(format!("--server {server} is no URL: {error}")))?;
            return Ok((Config::new(url), server.clone()));
        }
        // a pod has a service account and no kubeconfig
        let config = Config::incluster().map_err(|_| {
            Failure::failed(
                "there is no kubeconfig: neither --kubeconfig nor KUBECONFIG nor ~/.kube/config names one",
            )
            .hint("name one with --kubeconfig")
        })?;
        return Ok((config, "pod".into()));
    };
    let context = login.context.clone().or_else(|| file.current_context.clone()).unwrap_or_default();
    let options = KubeConfigOptions {
        context: login.context.clone(),
        cluster: login.cluster.clone(),
        user: login.user.clone(),
    };
    let names: Vec<_> = file.contexts.iter().map(|c| c.name.clone()).collect();
    let config = Config::from_custom_kubeconfig(file, &options).await.map_err(|error| {
        Failure::failed(format!("cannot use the kubeconfig: {error}")).hint(format!(
            "its contexts are: {}",
            if names.is_empty() { "none".into() } else { names.join(", ") }
        ))
    })?;
    Ok((config, context))
}

/// The files that KUBECONFIG lists, merged. Like kubectl, skips files that do not exist.
fn kubeconfig(login: &Login) -> Result<Option<Kubeconfig>, Failure> {
    let read = |path: &PathBuf| {
        Kubeconfig::read_from(path).map_err(|error| {
            Failure::usage(format!("cannot read the kubeconfig {}: {error}", path.display()))
        })
    };
    if let Some(path) = &login.kubeconfig {
        return read(path).map(Some);
    }
    let listed: Vec<PathBuf> = match env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(value) => env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => env::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in listed.iter().filter(|path| path.exists()) {
        let next = read(path)?;
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(|error| {
                Failure::usage(format!("cannot merge the kubeconfig {}: {error}", path.display()))
            })?,
        });
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_a_login_are_those_of_its_commands_without_the_token() {
        let login = Login {
            kubeconfig: Some("/home/ann/my config".into()),
            context: Some("prod".into()),
            impersonate: Some("it's".into()),
            groups: vec!["a".into(), "system:masters".into()],
            token: Some("secret".into()),
            namespace: Some("shop".into()),
            ..Login::default()
        };
        assert_eq!(
            login.flags(),
            r" --kubeconfig '/home/ann/my config' --context prod --as 'it'\''s' --as-group a --as-group system:masters"
        );
        assert_eq!(Login::default().flags(), "");
        assert_eq!([quoted(""), quoted("$(x)"), quoted("a;b")], ["''", "'$(x)'", "'a;b'"]);
    }
}
