//! Headers that browsers obey. The pages themselves may not be built yet.

use crate::support::{Answer, Centre, client};

#[test]
fn pages_run_their_own_code_alone() {
    let centre = Centre::new();
    for path in ["/", "/live"] {
        let page = centre.get(path);
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        if page.status == 404 {
            assert_eq!(page.problem(), "not-found");
            continue;
        }
        assert_eq!(page.header("content-type"), "text/html");
        let policy = page.header("content-security-policy");
        for rule in ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        let tag = page.header("etag").to_owned();
        let again = Answer::of(client().get(format!("{}{path}", centre.url)).header("if-none-match", tag).call());
        assert_eq!(again.status, 304);
    }
}

#[test]
fn any_origin_uploads_and_no_other_route_is_shared() {
    let centre = Centre::new();
    let preflight = client().options(format!("{}/v1/reports", centre.url)).header("origin", "https://app.example");
    let preflight = Answer::of(preflight.header("access-control-request-method", "POST").call());
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, "*"));
    for path in ["/v1/status", "/v1/specs", "/healthz"] {
        let answer = client().get(format!("{}{path}", centre.url)).header("origin", "https://app.example").call();
        assert_eq!(Answer::of(answer).header("access-control-allow-origin"), "", "{path}");
    }
}
