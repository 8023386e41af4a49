//! A plant in another process, over its interface.

use hyper::Method;
use serde::de::DeserializeOwned;

use crate::{injections::Injection, ledger::Ledger, report::ReportError, server::Server};

/// A plant in another process.
#[derive(Clone, Debug)]
pub struct RemotePlant {
    server: Server,
}

impl RemotePlant {
    /// The plant behind a server.
    pub fn new(server: Server) -> RemotePlant {
        RemotePlant { server }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ReportError> {
        let value = self.server.ask(method, path).await?;
        serde_json::from_value(value).map_err(|error| self.server.wrong(path, &error.to_string()))
    }

    /// Its ledger now.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn ledger(&self) -> Result<Ledger, ReportError> {
        self.read(Method::GET, "/ledger").await
    }

    /// How many times as fast as real it runs.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn speed(&self) -> Result<f64, ReportError> {
        let account = self.server.get("/ledger").await?;
        account["speed"].as_f64().ok_or_else(|| self.server.wrong("/ledger", "it has no speed"))
    }

    /// Whether its time stands still.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn is_held(&self) -> Result<bool, ReportError> {
        let account = self.server.get("/ledger").await?;
        account["held"]
            .as_bool()
            .ok_or_else(|| self.server.wrong("/ledger", "it is not said whether it is held"))
    }

    /// What was injected.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn injected(&self) -> Result<Vec<Injection>, ReportError> {
        self.read(Method::GET, "/injections").await
    }

    /// Holds it, and its ledger then.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn hold(&self) -> Result<Ledger, ReportError> {
        self.read(Method::POST, "/hold").await
    }

    /// Lets it run again.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn resume(&self) -> Result<(), ReportError> {
        self.server.ask(Method::POST, "/resume").await.map(|_| ())
    }
}
