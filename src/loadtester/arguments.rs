//! PURE. Which arguments the default programs may have: none that read or write files, run scripts, or use sockets
//! of the Pod.
//!
//! Unlisted arguments are refused: a list of dangerous ones would miss abbreviations and additions of newer versions. A
//! program in `--allow-commands` may have any argument.

use Takes::{Nothing, Two, Value};

/// What follows an option.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    /// A value that passes this check.
    Value(fn(&str) -> bool),
    /// A name and a value.
    Two,
}

/// How a program reads its command line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `-s`, `-sS`, `-m5`, `--max-time 5`, `--max-time=5`
    Getopt,
    /// `-name value`, `-name=value`, with one dash or two; no value for options without one
    Go,
}

/// A program with its allowed options.
struct Program {
    name: &'static str,
    style: Style,
    options: &'static [(Takes, &'static str)],
    /// Which other arguments are allowed, by position.
    rest: fn(usize, &str) -> bool,
    /// Options that replace the first of the other arguments.
    instead: &'static [&'static str],
}

fn any(_: &str) -> bool {
    true
}

/// Not read from a file.
fn plain(value: &str) -> bool {
    !value.starts_with('@')
}

/// In the form of `--data-urlencode`: `name@file` is read from a file.
fn encoded(value: &str) -> bool {
    !value.find(['=', '@']).is_some_and(|at| value[at..].starts_with('@'))
}

/// In the form of `--write-out`.
fn shown(value: &str) -> bool {
    plain(value) && !value.contains("%output{")
}

/// In the form of `--form`.
fn field(value: &str) -> bool {
    !value.contains(['@', '<'])
}

/// Cookies, not a file of cookies.
fn cookies(value: &str) -> bool {
    value.contains('=')
}

/// Discarded, or written to standard output.
fn nowhere(value: &str) -> bool {
    ["/dev/null", "-"].contains(&value)
}

/// A URL of a web server: nothing else, and no pattern that expands to something else.
fn web(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    if lower.starts_with("http://") || lower.starts_with("https://") {
        return true;
    }
    host(value.split(['/', '?']).next().unwrap_or_default())
}

/// A host, with or without a port.
fn host(value: &str) -> bool {
    let (name, port) = value.split_once(':').unwrap_or((value, "0"));
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    is_name && !name.starts_with('-') && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}

/// A filter of jq that loads no module.
fn filter(value: &str) -> bool {
    ["import", "include"].iter().all(|word| {
        value.match_indices(word).all(|(at, _)| {
            let (before, after) = (value[..at].chars().next_back(), value[at + word.len()..].chars().next());
            let part = |c: char| c.is_alphanumeric() || "._$:".contains(c);
            before.is_some_and(part) || !after.is_none_or(|c| c.is_whitespace() || "\"#".contains(c))
        })
    })
}

const CURL: Program = Program {
    name: "curl",
    style: Style::Getopt,
    options: &[
        (
            Nothing,
            "0 4 6 f G g I i k L N q S s v basic compressed digest fail fail-early fail-with-body get \
             globoff head http1.0 http1.1 http2 http2-prior-knowledge http3 include insecure ipv4 \
             parallel Z ipv6 location location-trusted no-buffer no-keepalive no-progress-meter path-as-is \
             post301 post302 post303 retry-all-errors retry-connrefused show-error silent tlsv1.2 \
             tlsv1.3 verbose",
        ),
        (
            Value(any),
            "A e m r u X connect-timeout connect-to data-raw form-string keepalive-time limit-rate \
             max-filesize max-redirs max-time oauth2-bearer parallel-max range rate referer request \
             resolve retry retry-delay retry-max-time speed-limit speed-time tls-max user user-agent",
        ),
        (Value(cookies), "b cookie"),
        (Value(nowhere), "D o dump-header output"),
        (Value(plain), "d H data data-ascii data-binary header json"),
        (Value(field), "F form"),
        (Value(shown), "w write-out"),
        (Value(encoded), "data-urlencode"),
        (Value(web), "url"),
    ],
    rest: |_, value| web(value),
    instead: &[],
};

const GREP: Program = Program {
    name: "grep",
    style: Style::Getopt,
    options: &[
        (
            Nothing,
            "a b c E F G H h i L l n o P q s v w x z count extended-regexp fixed-strings ignore-case \
             invert-match line-buffered line-number line-regexp no-messages only-matching perl-regexp \
             quiet silent word-regexp",
        ),
        (Value(any), "A B C e m after-context before-context context max-count regexp"),
    ],
    rest: |place, value| place == 0 || nowhere(value),
    instead: &["e", "regexp"],
};

const JQ: Program = Program {
    name: "jq",
    style: Style::Getopt,
    options: &[
        (
            Nothing,
            "a C c e j M n R r S s ascii-output compact-output exit-status join-output monochrome-output null-input raw-input raw-output seq slurp sort-keys stream tab unbuffered",
        ),
        (Two, "arg argjson"),
        (Value(any), "indent"),
    ],
    rest: |place, value| if place == 0 { filter(value) } else { nowhere(value) },
    instead: &[],
};

const HEY: Program = Program {
    name: "hey",
    style: Style::Go,
    options: &[
        (Value(any), "A a c cpus d H host m n o q T t U x z"),
        (Nothing, "disable-compression disable-keepalive disable-redirects h2"),
    ],
    rest: |_, value| web(value),
    instead: &[],
};

const WRK: Program = Program {
    name: "wrk",
    style: Style::Getopt,
    options: &[
        (Value(any), "c d H T t connections duration header threads timeout"),
        (Nothing, "L v latency version"),
    ],
    rest: |_, value| web(value),
    instead: &[],
};

const GHZ: Program = Program {
    name: "ghz",
    style: Style::Getopt,
    options: &[
        (
            Value(plain),
            "c d m n O r t x z authority call cname concurrency concurrency-end concurrency-schedule \
             concurrency-start concurrency-step concurrency-step-duration connect-timeout connections \
             cpus data duration duration-stop format keepalive lb-strategy load-end load-max-duration \
             load-schedule load-start load-step load-step-duration max-duration max-recv-message-size \
             metadata name reflect-metadata rps skipFirst stream-call-count stream-call-duration \
             stream-interval tags timeout total",
        ),
        (
            Nothing,
            "async count-errors disable-template-data disable-template-functions enable-compression \
             insecure skipTLS",
        ),
    ],
    rest: |_, value| host(value.strip_prefix("dns:///").unwrap_or(value)),
    instead: &[],
};

const PROBE: Program = Program {
    name: "grpc_health_probe",
    style: Style::Go,
    options: &[
        (Value(host), "addr"),
        (Value(any), "connect-timeout rpc-header rpc-timeout service tls-server-name user-agent"),
        (Nothing, "gzip tls tls-no-verify v"),
    ],
    rest: |_, _| false,
    instead: &[],
};

const PROGRAMS: [&Program; 7] = [&CURL, &GHZ, &GREP, &PROBE, &HEY, &JQ, &WRK];

/// Options of programs in Flagger's image that those of today call otherwise.
const RENAMED: [(&str, &str, &str); 2] = [("ghz", "q", "-r"), ("ghz", "qps", "--rps")];

/// What a program calls an option by now that its documentation, or Flagger's, once had.
pub(super) fn renamed(program: &str, argument: &str) -> Option<&'static str> {
    let name = argument.trim_start_matches('-');
    let short = !argument.starts_with("--");
    let known = |(of, old, _): &&(&str, &str, &str)| {
        *of == program
            && if short {
                name.starts_with(old) && old.len() == 1
            } else {
                name.split('=').next() == Some(*old)
            }
    };
    RENAMED.iter().find(known).map(|(.., new)| *new)
}

/// Whether a program may be given these arguments. Programs without a list are given any.
///
/// # Errors
/// The first argument that is not allowed.
pub(super) fn admit(program: &str, arguments: &[String]) -> Result<(), String> {
    let Some(program) = PROGRAMS.into_iter().find(|known| known.name == program) else { return Ok(()) };
    program.refused(arguments).map_or(Ok(()), Err)
}

impl Program {
    fn refused(&self, arguments: &[String]) -> Option<String> {
        let mut words = arguments.iter().map(String::as_str);
        let mut place = 0;
        let mut rest = Vec::new();
        while let Some(word) = words.next() {
            let fits = match word.strip_prefix('-') {
                None | Some("") => {
                    rest.push(word);
                    true
                }
                Some(option) => self.takes(option, &mut words, &mut place),
            };
            if !fits {
                return Some(word.to_owned());
            }
        }
        let first = place;
        rest.into_iter()
            .enumerate()
            .find(|(n, word)| !(self.rest)(first + n, word))
            .map(|(_, word)| word.to_owned())
    }

    /// Whether an option is allowed, with the values that it takes from the words.
    fn takes<'a>(
        &self,
        option: &'a str,
        words: &mut impl Iterator<Item = &'a str>,
        place: &mut usize,
    ) -> bool {
        let (name, value) = match (self.style, option.strip_prefix('-')) {
            (Style::Getopt, None) => return self.takes_short(option, words, place),
            (_, long) => {
                let long = long.unwrap_or(option);
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)))
            }
        };
        (self.style == Style::Go || name.chars().count() > 1) && self.takes_one(name, value, words, place)
    }

    /// One-letter options; the last one may have its value directly after it.
    fn takes_short<'a>(
        &self,
        cluster: &'a str,
        words: &mut impl Iterator<Item = &'a str>,
        place: &mut usize,
    ) -> bool {
        for (at, letter) in cluster.char_indices() {
            let (name, behind) = (&cluster[at..at + letter.len_utf8()], &cluster[at + letter.len_utf8()..]);
            match self.option(name) {
                Some(Nothing) => {}
                None => return false,
                Some(Value(_) | Two) => {
                    let value = Some(behind).filter(|behind| !behind.is_empty());
                    return self.takes_one(name, value, words, place);
                }
            }
        }
        true
    }

    fn takes_one<'a>(
        &self,
        name: &str,
        value: Option<&'a str>,
        words: &mut impl Iterator<Item = &'a str>,
        place: &mut usize,
    ) -> bool {
        if self.instead.contains(&name) {
            *place = 1;
        }
        match self.option(name) {
            None => false,
            // a value such as `true`
            Some(Nothing) => value.is_none_or(|value| value.chars().all(char::is_alphanumeric)),
            Some(Value(fits)) => value.or_else(|| words.next()).is_none_or(fits),
            Some(Two) => {
                words.next();
                words.next();
                true
            }
        }
    }

    fn option(&self, name: &str) -> Option<Takes> {
        self.options
            .iter()
            .find(|(_, names)| names.split(' ').any(|known| known == name))
            .map(|(takes, _)| *takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn words(line: &str) -> (String, Vec<String>) {
        let mut words = line.split(' ').map(|word| word.replace('~', " "));
        (words.next().unwrap(), words.collect())
    }

    #[test]
    fn f11_programs_are_given_what_loads_and_checks_are_made_of() {
        for line in [
            "hey -z 1m -q 10 -c 2 http://podinfo-canary.test:9898/",
            "hey -m POST -d {\"a\":1} -H x:~y --disable-keepalive -host=shop https://podinfo:443/x?y=z",
            "curl -sd test http://podinfo-canary:9898/token",
            "curl -sS -o /dev/null -w %{http_code} -m5 -XPOST -H host:~a podinfo:9898/healthz?x=1",
            "curl --fail --silent --max-time 5 --data-urlencode q=sum(up)@x http://prometheus:9090/api/v1/query",
            "curl -b session=1 --output - --url http://a/{b,c}",
            "grep token",
            "grep -qi -e a -e b -",
            "grep -c x /dev/null",
            "jq -e .data.result[0].value[1]~>~0.99 -",
            "jq -r --arg include import .include~|~.import[$include]",
            "wrk -t2 -c 10 -d30s --latency -H host:~a http://podinfo:9898/",
            "ghz --insecure --call shop.Shop.Buy --total 50 --count-errors --format json podinfo-canary.test:9898",
            "ghz -c5 --rps=10 -d {\"a\":\"b\"} --call=a.B/C dns:///podinfo:9898",
            "grpc_health_probe -addr=podinfo:9898 -service x --tls -tls-no-verify -connect-timeout 1s",
            "helm -f /anything",
        ] {
            let (program, arguments) = words(line);
            assert_eq!(admit(&program, &arguments), Ok(()), "{line}");
        }
    }

    #[test]
    fn f11_programs_are_given_no_files_scripts_or_sockets() {
        for (line, refused) in [
            ("curl file:///etc/passwd", "file:///etc/passwd"),
            ("curl FILE:/etc/passwd", "FILE:/etc/passwd"),
            ("curl {f}ile:///etc/passwd", "{f}ile:///etc/passwd"),
            ("curl scp://a/b", "scp://a/b"),
            ("curl -s -d @/etc/passwd http://a", "-d"),
            ("curl -sd@/etc/passwd http://a", "-sd@/etc/passwd"),
            ("curl --data-binary @/etc/passwd http://a", "--data-binary"),
            ("curl --data-urlencode x@/etc/passwd http://a", "--data-urlencode"),
            ("curl --json @/etc/passwd http://a", "--json"),
            ("curl -F x=@/etc/passwd http://a", "-F"),
            ("curl -H @/etc/passwd http://a", "-H"),
            ("curl -w @/etc/passwd http://a", "-w"),
            ("curl -w %output{/dev/shm/x} http://a", "-w"),
            ("curl -b /etc/passwd http://a", "-b"),
            ("curl -o /dev/shm/x http://a", "-o"),
            ("curl -so/dev/shm/x http://a", "-so/dev/shm/x"),
            ("curl -O http://a/x", "-O"),
            ("curl -sO http://a/x", "-sO"),
            ("curl --outp /dev/shm/x http://a", "--outp"),
            ("curl -K /dev/shm/x", "-K"),
            ("curl -T /etc/passwd http://a", "-T"),
            ("curl --cacert /etc/passwd http://a", "--cacert"),
            ("curl --trace /dev/shm/x http://a", "--trace"),
            ("curl --unix-socket /run/x http://a", "--unix-socket"),
            ("curl --abstract-unix-socket x http://a", "--abstract-unix-socket"),
            ("curl -x socks5h://localhost/run/x http://a", "-x"),
            ("grep -r password /", "-r"),
            ("grep -f /etc/passwd", "-f"),
            ("grep root /etc/passwd", "/etc/passwd"),
            ("grep -e root /etc/passwd", "/etc/passwd"),
            ("grep --regexp=root /etc/passwd", "/etc/passwd"),
            ("jq . /etc/passwd", "/etc/passwd"),
            ("jq -f /dev/shm/x", "-f"),
            ("jq --rawfile a /etc/passwd $a", "--rawfile"),
            ("jq -L /dev/shm -n import~\"x\"~as~$x;~$x", "-L"),
            ("jq -n import~\"x\"~as~$x;~$x", "import \"x\" as $x; $x"),
            ("jq -n include#\n\"x\";.", "include#\n\"x\";."),
            ("hey -D /etc/passwd http://a", "-D"),
            ("hey --D=/etc/passwd http://a", "--D=/etc/passwd"),
            ("wrk -s /dev/shm/x.lua http://a", "-s"),
            ("wrk --scr=/dev/shm/x.lua http://a", "--scr=/dev/shm/x.lua"),
            ("wrk http://a -- x", "--"),
            ("ghz --proto /etc/passwd --call a.B a:1", "--proto"),
            ("ghz -D /etc/passwd --call a.B a:1", "-D"),
            ("ghz --config=/dev/shm/x", "--config=/dev/shm/x"),
            ("ghz -o /dev/shm/x a:1", "-o"),
            ("ghz @/etc/passwd", "@/etc/passwd"),
            ("ghz --call @/etc/passwd a:1", "--call"),
            ("ghz --call a.B unix:/run/x", "unix:/run/x"),
            ("grpc_health_probe -addr unix:/run/x", "-addr"),
            ("grpc_health_probe -tls-ca-cert=/etc/passwd", "-tls-ca-cert=/etc/passwd"),
        ] {
            let (program, arguments) = words(line);
            assert_eq!(admit(&program, &arguments), Err(refused.to_owned()), "{line}");
        }
    }
}
