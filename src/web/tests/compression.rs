//! Answers are made smaller for who takes that: what comes out is the same, and live streams are left alone.

use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_http::decompression::Decompression;

use super::*;

/// What an answer says again once it is unpacked as a browser does.
async fn unpacked(app: &App, path: &str, accepted: &str) -> Vec<u8> {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, accepted);
    let request = request.body(Body::empty()).unwrap();
    let browser = Decompression::new(crate::web::router(app.clone(), true));
    let answer = browser.oneshot(request).await.unwrap();
    answer.into_body().collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn what_is_sent_small_is_the_same() {
    let (app, _sender) = running();
    // A page says the present moment; a file and a description say the same twice.
    for path in ["/assets/app.css", "/assets/chart.mjs", "/api/openapi.json"] {
        let plain = get(&app, path).await;
        assert_eq!((plain.status, plain.header(header::CONTENT_ENCODING)), (StatusCode::OK, ""));
        for (accepted, told) in [
            ("br", "br"),
            ("gzip", "gzip"),
            ("gzip, deflate, br, zstd", "br"),
            ("br;q=0, gzip", "gzip"),
            ("identity", ""),
            ("zstd", ""),
        ] {
            let answer = get_with(&app, path, "accept-encoding", accepted).await;
            assert_eq!(answer.header(header::CONTENT_ENCODING), told, "{path}: {accepted}");
            let is_small = answer.body.len() * 2 < plain.body.len();
            assert_eq!(is_small, !told.is_empty(), "{path}: {accepted}");
            // A cache in between must not give one to who takes the other.
            assert!(answer.header(header::VARY).contains("accept-encoding"), "{path}: {accepted}");
            assert!(unpacked(&app, path, accepted).await == plain.body, "{path}: {accepted}");
        }
    }
}

/// Whatever form a browser has kept, it is told that it is still right, and that another one is not.
#[tokio::test]
async fn a_kept_file_is_known_again_in_every_form() {
    let (app, _sender) = running();
    let path = "/assets/app.css";
    for accepted in ["br", "gzip", "identity"] {
        let kept = get_with(&app, path, "accept-encoding", accepted).await;
        let tag = kept.header(header::ETAG).to_owned();
        assert!(tag.len() > 4, "{accepted}: {tag}");
        for known in [tag.clone(), format!("W/{}", tag.trim_start_matches("W/"))] {
            let request = Request::get(path)
                .header(header::ACCEPT_ENCODING, accepted)
                .header(header::IF_NONE_MATCH, known);
            let answer = ask(&app, request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(answer.header(header::CONTENT_ENCODING), "", "{accepted}");
        }
        let request = Request::get(path)
            .header(header::ACCEPT_ENCODING, accepted)
            .header(header::IF_NONE_MATCH, "\"another\"");
        let answer = ask(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.body == kept.body), (StatusCode::OK, true));
    }
}
