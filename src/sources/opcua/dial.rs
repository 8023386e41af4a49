//! TCP connections for the OPC UA library, made our way.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use opcua::client::ConnectionSource;
use opcua::client::transport::{StreamConnection, StreamConnector};
use opcua::core::comms::tcp_codec::TcpCodec;
use opcua::core::comms::url::hostname_port_from_url;
use opcua::types::{DecodingOptions, EndpointDescription, Error, StatusCode};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::codec::FramedRead;

/// A connection that is not made in this time is tried anew. Ten times what a plant network takes.
const AGAIN: Duration = Duration::from_millis(250);
/// The default port of OPC UA.
const PORT: u16 = 4840;

type Stream = StreamConnection<ReadHalf<TcpStream>, WriteHalf<TcpStream>>;
type Dialling = Pin<Box<dyn Future<Output = Result<Stream, Error>> + Send + Sync>>;
pub(super) type Dialer = StreamConnector<
    ReadHalf<TcpStream>,
    WriteHalf<TcpStream>,
    fn(String, DecodingOptions) -> Dialling,
    Dialling,
>;

/// Our own way to make TCP connections: the library's sets no TCP_NODELAY, so that small requests wait.
pub(super) struct Dial;

impl ConnectionSource for Dial {
    type Builder = Dialer;

    fn get_connector(&self, endpoint: &EndpointDescription) -> Result<Dialer, Error> {
        Ok(dialer(endpoint.endpoint_url.as_ref()))
    }
}

pub(super) fn dialer(url: &str) -> Dialer {
    StreamConnector::new(dial as fn(String, DecodingOptions) -> Dialling, url.to_owned())
}

fn dial(url: String, options: DecodingOptions) -> Dialling {
    Box::pin(async move {
        let (host, port) = hostname_port_from_url(&url, PORT)
            .map_err(|status| Error::new(status, format!("{url} is no address")))?;
        let failed =
            |e: std::io::Error| Error::new(StatusCode::BadCommunicationError, e.to_string());
        // A request to connect that was lost is repeated by the system only after a second, so a new one is made sooner.
        // Whoever dials ends it in time.
        let stream = loop {
            if let Ok(made) = timeout(AGAIN, TcpStream::connect((host.as_str(), port))).await {
                break made.map_err(failed)?;
            }
        };
        stream.set_nodelay(true).map_err(failed)?;
        let (reader, writer) = tokio::io::split(stream);
        Ok(StreamConnection::new(FramedRead::new(reader, TcpCodec::new(options)), writer, url))
    })
}
