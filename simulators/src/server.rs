//! A server of HTTP that is asked for JSON.

use std::{path::Path, time::Duration};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::{
    reach::{self, Token, Trust},
    report::ReportError,
};

/// No answer is longer.
const MOST_BYTES: usize = 256 << 20;
/// No answer takes longer, unless its server hangs.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// A server of HTTP.
#[derive(Clone, Debug)]
pub struct Server {
    /// Host and port.
    authority: String,
    /// Whether it is reached over TLS.
    over_tls: bool,
    trust: Option<Trust>,
    token: Option<Token>,
}

impl Server {
    /// The server of a URL such as `http://127.0.0.1:8080`, or of one with `https`, which needs [`Server::trusting`].
    ///
    /// # Errors
    /// It is no such URL.
    pub fn new(url: &str) -> Result<Server, ReportError> {
        let plain = url.strip_prefix("http://").map(|rest| (rest, false));
        let split = plain.or_else(|| url.strip_prefix("https://").map(|rest| (rest, true)));
        let (rest, over_tls) = split.ok_or_else(|| ReportError::Address(url.into()))?;
        let authority = rest.trim_end_matches('/').to_owned();
        let is_one = authority.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok() && !host.contains('/')
        });
        let server = Server { authority, over_tls, trust: None, token: None };
        is_one.then_some(server).ok_or_else(|| ReportError::Address(url.into()))
    }

    /// The same, whose certificate must be one of this file or lead to one. It matters for `https` alone.
    ///
    /// # Errors
    /// The file and what is wrong with it.
    pub fn trusting(self, ca: &Path) -> Result<Server, ReportError> {
        let wrong = |problem| ReportError::Authority { file: ca.to_owned(), problem };
        Ok(Server { trust: Some(Trust::in_file(ca).map_err(wrong)?), ..self })
    }

    /// The same, where people sign in, with the token of a display.
    #[must_use]
    pub fn with_token(self, token: &str) -> Server {
        Server { token: Some(Token::new(token)), ..self }
    }

    fn url(&self, path: &str) -> String {
        let scheme = if self.over_tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }

    /// The JSON at a path; none where the server says that there is no such thing.
    pub(crate) async fn find(
        &self,
        method: Method,
        path: &str,
    ) -> Result<Option<Value>, ReportError> {
        self.find_within(ANSWERED_WITHIN, method, path).await
    }

    /// The same, for which there is only so much time: a server may hang.
    pub(crate) async fn find_within(
        &self,
        time: Duration,
        method: Method,
        path: &str,
    ) -> Result<Option<Value>, ReportError> {
        let answer = tokio::time::timeout(time, self.look_up(method, path)).await;
        answer.unwrap_or_else(|_| {
            let url = self.url(path);
            Err(ReportError::Unreachable { url, error: format!("no answer within {time:?}") })
        })
    }

    async fn look_up(&self, method: Method, path: &str) -> Result<Option<Value>, ReportError> {
        let url = self.url(path);
        if self.over_tls && self.trust.is_none() {
            return Err(ReportError::NoAuthority(url));
        }
        let away = |error: &dyn std::fmt::Display| ReportError::Unreachable {
            url: url.clone(),
            error: error.to_string(),
        };
        let trust = self.trust.as_ref().filter(|_| self.over_tls);
        let stream = reach::connect(&self.authority, trust).await.map_err(|e| away(&e))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| away(&e))?;
        let connection = tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, &self.authority);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token.header());
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|e| away(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| away(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        connection.abort();
        let body = body.map_err(|e| away(&e))?.to_bytes();
        let problem = |problem: String| ReportError::Answer { url: url.clone(), problem };
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => {
                let way = "people sign in there; give the token of a display with --token-file";
                Err(problem(way.to_owned()))
            }
            status if status.is_success() => {
                serde_json::from_slice(&body).map(Some).map_err(|e| problem(e.to_string()))
            }
            status => Err(problem(format!("{status} {}", String::from_utf8_lossy(&body)))),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, ReportError> {
        self.ask(Method::GET, path).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str) -> Result<Value, ReportError> {
        self.find(method, path).await?.ok_or_else(|| self.wrong(path, "there is no such thing"))
    }

    pub(crate) fn wrong(&self, path: &str, problem: &str) -> ReportError {
        ReportError::Answer { url: self.url(path), problem: problem.to_owned() }
    }
}
