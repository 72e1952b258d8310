//! Complete command lines.

use std::time::Duration;

use super::*;
use crate::{config::Rules, outbound::OutboundPolicy, scope::Scope, server};

fn task(line: &str, vars: &[(&str, &str)]) -> Result<Task, clap::Error> {
    let argv: Vec<String> = line.split_whitespace().map(String::from).collect();
    let env = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    parse(&normalise(&argv, &env))
}

fn run(line: &str) -> Config {
    match task(line, &[]) {
        Ok(Task::Run(config)) => config,
        other => panic!("{line} gave {other:?}"),
    }
}

#[track_caller]
fn refused(line: &str, words: &[&str]) {
    let message = task(line, &[]).unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn the_command_is_well_formed() {
    command().debug_assert();
}

#[test]
fn defaults_are_those_of_the_rules() {
    let config = run("serin run");
    assert_eq!(config.rules, Rules::default());
    assert_eq!((config.port, config.log_json), (8080, true));
    assert_eq!((config.scope, config.lease_namespace), (Scope::All, "kube-system".into()));
    assert_eq!(config.unserved_flags, Vec::<String>::new());
}

#[test]
fn the_arguments_of_a_flagger_deployment_are_understood() {
    let config = run(
        "./flagger -log-level=info -mesh-provider=contour -metrics-server=http://prom.monitoring:9090/ \
         -selector-labels=app,app.kubernetes.io/name -namespace=shop -enable-config-tracking=false \
         -include-label-prefix=app.kubernetes.io,team -slack-user=flagger -ingress-class= -kubeconfig-qps=100 \
         -kubeconfig-burst=250 -ingress-annotations-prefix=nginx.ingress.kubernetes.io -threadiness=4 \
         -no-cross-namespace-refs=true -leader-election-namespace=flagger-system -v=2 -logtostderr",
    );
    assert_eq!(
        config.rules,
        Rules {
            outbound: OutboundPolicy {
                named: vec![("prom.monitoring".into(), 9090)],
                ..OutboundPolicy::default()
            },
            mesh_provider: "contour".into(),
            metrics_server: "http://prom.monitoring:9090".into(),
            selector_labels: vec!["app".into(), "app.kubernetes.io/name".into()],
            include_label_prefix: vec!["app.kubernetes.io".into(), "team".into()],
            no_cross_namespace_refs: true,
            config_tracking: false,
            namespaces: ["shop".to_owned()].into(),
            ..Rules::default()
        }
    );
    assert_eq!((config.scope.only(), config.lease_namespace.as_str()), (Some("shop"), "shop"));
    assert_eq!(config.log_filter.as_str(), "warn,serin=info,kube_client::client=error");
    assert_eq!(config.unserved_flags, Vec::<String>::new());
}

#[test]
fn flags_that_are_not_served_are_named_without_their_values() {
    let line = "flagger -kubeconfig-service-mesh=/secret -kubeconfig-qps=5 -enable-config-tracking=true \
                -control-loop-interval=30s";
    let named = run(line).unserved_flags;
    let starts: Vec<_> = named.iter().filter_map(|n| n.split(' ').next()).collect();
    assert_eq!(starts, ["--kubeconfig-qps", "--kubeconfig-service-mesh"]);
    assert!(!named.join(" ").contains("secret"));
    assert!(run(line).rules.remote_mesh && !run("flagger -kubeconfig-service-mesh=").rules.remote_mesh);
}

#[test]
fn variables_of_serin_and_of_flagger_are_read_and_arguments_win() {
    let vars = [
        ("SERIN_MESH_PROVIDER", "contour"),
        ("SERIN_PORT", "8081"),
        ("SERIN_ENABLE_LEADER_ELECTION", "true"),
        ("SERIN_LEASE_DURATION", "1m30s"),
        ("MSTEAMS_URL", "https://hooks/secret"),
    ];
    let Ok(Task::Run(config)) = task("serin run -port=9090", &vars) else { panic!("refused") };
    assert_eq!((config.rules.mesh_provider.as_str(), config.port), ("contour", 9090));
    assert_eq!(config.election, Some(Duration::from_secs(90)));
    assert_eq!(config.notifier.map(|to| to.service), Some("msteams"));
}

#[test]
fn alerts_go_to_teams_or_else_to_slack_and_their_addresses_are_not_printed() {
    let slack =
        "serin run -slack-url=https://hooks/s3cret -slack-token=s3cret -slack-channel=dev -cluster-name=a";
    let config = run(slack);
    let Some(to) = &config.notifier else { panic!("nobody") };
    assert_eq!((to.service, to.url.0.as_str()), ("slack", "https://hooks/s3cret"));
    assert_eq!((to.username.as_str(), to.channel.as_str()), ("flagger", "dev"));
    assert!(!format!("{:?}", config.notifier).contains("s3cret"));
    assert_eq!(config.cluster_name, "a");
    // the operator's own settings may name any address
    assert!(config.rules.outbound.named.contains(&("hooks".into(), 443)));
    let both = run(&format!("{slack} -msteams-url=https://teams/"));
    assert_eq!(both.notifier.map(|to| (to.service, to.token.0)), Some(("msteams", String::new())));
    assert_eq!(run("serin run -slack-channel=dev").notifier, None);

    let Err(problem) = task("serin run -slack-url=s3cret", &[]) else { panic!("accepted") };
    let text = problem.to_string();
    assert!(text.contains("--slack-url") && !text.contains("s3cret"), "{text}");
}

#[test]
fn namespaces_are_a_list_or_chosen_by_their_labels() {
    let config = run("serin run --namespace=shop,billing --leader-election-namespace=serin-system");
    assert_eq!((config.scope, config.lease_namespace.as_str()), (named("shop,billing"), "serin-system"));
    assert_eq!(config.rules.namespaces.len(), 2);
    let config = run("serin run --namespace-selector=team=shop");
    assert_eq!(config.scope, Scope::labelled("team=shop").unwrap());
    assert!(config.rules.namespaces.is_empty(), "references to others are seen");
    let both = "serin run --namespace=shop --namespace-selector=team=shop";
    refused(both, &["--namespace and --namespace-selector", "one of them"]);

    // in explain, -n is the namespace of the Canary
    let Ok(Task::Explain { config, namespace, .. }) =
        task("serin explain app -n shop --namespace-selector=team=shop", &[])
    else {
        panic!("refused")
    };
    assert_eq!((namespace.as_str(), config.scope), ("shop", Scope::labelled("team=shop").unwrap()));
    let Ok(Task::Explain { config, .. }) = task("serin explain app -n shop", &[]) else { panic!("refused") };
    assert_eq!((config.scope, config.rules.namespaces.len()), (Scope::All, 0));
    let Ok(Task::Release(config)) = task("serin release-all -n shop,billing", &[]) else { panic!("refused") };
    assert_eq!(config.scope, named("shop,billing"));
}

fn named(list: &str) -> Scope {
    Scope::named(list).unwrap()
}

#[test]
fn settle_time_may_be_short() {
    assert_eq!(run("serin run --settle-time 500ms").rules.settle, Some(Duration::from_millis(500)));
}

#[test]
fn hosts_and_networks_are_lists() {
    let rules = run("serin run --allowed-hosts=*.SVC,prom.test --allowed-networks=127.0.0.0/8,::1").rules;
    assert_eq!(rules.outbound.hosts, ["*.svc", "prom.test"]);
    assert_eq!(rules.outbound.networks.len(), 2);
    assert!(run("serin run").quote_answers && !run("serin run --quote-answers=false").quote_answers);
}

#[test]
fn f6_f7_f13_what_is_not_said_is_open_and_with_strict_it_is_closed() {
    let rules = run("serin run").rules;
    assert!(!rules.strict && !rules.outbound.strict);
    assert_eq!((&rules.route_hosts, &rules.gateways, &rules.cloud_identity), (&None, &None, &None));
    let rules = run("serin run -strict").rules;
    assert!(rules.strict && rules.outbound.strict);
    let given = run(
        "serin run --allowed-hosts=*.{namespace}.svc --allowed-route-hosts=*.{namespace}.Example.com,shared.test \
         --allowed-gateways=infra/public-{namespace} --cloud-identity-namespaces=ops-*",
    );
    assert_eq!(given.rules.outbound.hosts, ["*.{namespace}.svc"]);
    let listed = |all: &Option<Vec<String>>| all.clone().unwrap_or_default().join(" ");
    assert_eq!(listed(&given.rules.route_hosts), "*.{namespace}.example.com shared.test");
    assert_eq!(listed(&given.rules.gateways), "infra/public-{namespace}");
    assert_eq!(listed(&given.rules.cloud_identity), "ops-*");
    let held = run("serin run --hold-releases=shop,team-*").rules;
    assert!(held.holds_releases("shop") && held.holds_releases("team-a") && !held.holds_releases("test"));
    assert!(run("serin run --hold-releases=*").rules.holds_releases("test") && !rules.holds_releases("test"));
    let named = run("serin run --event-webhook=http://127.0.0.1:8080/e").rules.outbound.named;
    assert!(named.contains(&("127.0.0.1".into(), 8080)));
}

#[test]
fn bad_values_name_the_flag_and_the_remedy() {
    refused("serin run -port=http", &["--port", "from 1 to 65535"]);
    refused("serin run -metrics-server=prometheus:9090", &["--metrics-server", "http://prometheus:9090"]);
    refused("serin run --allowed-hosts=http://a/", &["--allowed-hosts", "*.example.com"]);
    refused("serin run --allowed-networks=10.0.0.0/40", &["--allowed-networks", "127.0.0.0/8"]);
    refused("serin run --allowed-hosts={other}.svc", &["--allowed-hosts", "*.{namespace}.svc"]);
    refused(
        "serin run --allowed-route-hosts={ns}.test",
        &["--allowed-route-hosts", "*.{namespace}.example.com"],
    );
    refused("serin run -namespace=Shop", &["--namespace", "shop,billing"]);
    refused("serin run --namespace-selector=team=a=b", &["--namespace-selector", "env in (test,prod)"]);
    refused("serin run -zap-encoding=xml", &["--zap-encoding", "json or console"]);
    refused("serin run -selector-labels=,", &["--selector-labels", "at least one label"]);
    refused("serin run -enable-leader-election=maybe", &["--enable-leader-election", "true or false"]);
    refused("serin run -settle-time=3", &["--settle-time", "500ms"]);
    refused("serin run -lease-duration=1s", &["--lease-duration", "from 3s to 10m"]);
    refused("serin run -lease-duration=60", &["--lease-duration", "60s"]);
    refused("serin run -mesh-provder=istio", &["--mesh-provder", "--mesh-provider"]);
}

#[test]
fn version_and_help_are_answers_not_errors() {
    for line in
        ["flagger -version", "serin --version", "serin run -version", "serin --help", "serin run --help"]
    {
        assert!(!task(line, &[]).unwrap_err().use_stderr(), "{line}");
    }
    assert_eq!(
        task("flagger -version", &[]).unwrap_err().to_string().trim(),
        concat!("serin ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn commands_for_people_speak_plainly() {
    let Ok(Task::Explain { config, namespace, name, ask }) =
        task("serin explain podinfo -n test --ask --mesh-provider contour", &[])
    else {
        panic!("refused")
    };
    assert_eq!((namespace.as_str(), name.as_str(), ask), ("test", "podinfo", true));
    assert_eq!(
        (config.log_filter.as_str(), config.log_json),
        ("warn,serin=warn,kube_client::client=error", false)
    );
    assert_eq!(config.rules.mesh_provider, "contour");

    let Ok(Task::Release(config)) = task("serin release-all", &[]) else { panic!("refused") };
    assert_eq!(config.scope, Scope::All);
    let Ok(Task::Crd(Some(name))) = task("serin crd canaries", &[]) else { panic!("refused") };
    assert_eq!(name, "canaries");
}

#[tokio::test]
async fn f10_a_taken_port_stops_the_start() {
    let taken = server::open(0).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = run(&format!("serin run --port={port} --kubeconfig=/nowhere"));
    let error = controller::run(config).await.unwrap_err().to_string();
    assert!(error.contains(&format!("port {port} cannot be opened")), "{error}");
}

#[test]
fn a_backtest_is_asked_for_with_times_as_people_write_them() {
    let Ok(Task::Backtest(given)) =
        task("serin backtest podinfo -n shop --over 36h -o json --metrics-server http://p:9090", &[])
    else {
        panic!("a backtest")
    };
    assert_eq!((given.name.as_str(), given.namespace.as_str(), given.json), ("podinfo", "shop", true));
    assert_eq!(given.config.rules.metrics_server, "http://p:9090");
    let defaults = Wanted { over: Duration::from_secs(36 * 3600), replays: 400, seed: 1, prometheus: None };
    assert_eq!(given.wanted, defaults);
    let Ok(Task::Backtest(given)) = task("serin backtest podinfo", &[]) else { panic!("a backtest") };
    assert_eq!(given.wanted.over, Duration::from_secs(7 * 86_400));
    for line in ["--over soon", "--over 30m", "--replays 0", "-o yaml", ""] {
        let named = if line.is_empty() { "" } else { "podinfo" };
        assert!(task(&format!("serin backtest {named} {line}"), &[]).is_err(), "{line}");
    }
}
