//! Stand-in for the two schema areas until `wa-proto` has them.
#![allow(missing_docs)]
pub(crate) mod handshake {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct HandshakeMessage {
        #[prost(message, optional, boxed, tag = "2")]
        pub(crate) client_hello: Option<Box<handshake_message::ClientHello>>,
        #[prost(message, optional, boxed, tag = "3")]
        pub(crate) server_hello: Option<Box<handshake_message::ServerHello>>,
        #[prost(message, optional, boxed, tag = "4")]
        pub(crate) client_finish: Option<Box<handshake_message::ClientFinish>>,
    }
    pub(crate) mod handshake_message {
        use bytes::Bytes;
        #[derive(Clone, PartialEq, prost::Message)]
        pub(crate) struct ClientHello {
            #[prost(bytes = "bytes", optional, tag = "1")]
            pub(crate) ephemeral: Option<Bytes>,
            #[prost(bytes = "bytes", optional, tag = "2")]
            pub(crate) r#static: Option<Bytes>,
            #[prost(bytes = "bytes", optional, tag = "3")]
            pub(crate) payload: Option<Bytes>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        pub(crate) struct ServerHello {
            #[prost(bytes = "bytes", optional, tag = "1")]
            pub(crate) ephemeral: Option<Bytes>,
            #[prost(bytes = "bytes", optional, tag = "2")]
            pub(crate) r#static: Option<Bytes>,
            #[prost(bytes = "bytes", optional, tag = "3")]
            pub(crate) payload: Option<Bytes>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        pub(crate) struct ClientFinish {
            #[prost(bytes = "bytes", optional, tag = "1")]
            pub(crate) r#static: Option<Bytes>,
            #[prost(bytes = "bytes", optional, tag = "2")]
            pub(crate) payload: Option<Bytes>,
        }
    }
}
pub(crate) mod cert {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct CertChain {
        #[prost(message, optional, boxed, tag = "1")]
        pub(crate) leaf: Option<Box<cert_chain::NoiseCertificate>>,
        #[prost(message, optional, boxed, tag = "2")]
        pub(crate) intermediate: Option<Box<cert_chain::NoiseCertificate>>,
    }
    pub(crate) mod cert_chain {
        use bytes::Bytes;
        #[derive(Clone, PartialEq, prost::Message)]
        pub(crate) struct NoiseCertificate {
            #[prost(bytes = "bytes", optional, tag = "1")]
            pub(crate) details: Option<Bytes>,
            #[prost(bytes = "bytes", optional, tag = "2")]
            pub(crate) signature: Option<Bytes>,
        }
        pub(crate) mod noise_certificate {
            use bytes::Bytes;
            #[derive(Clone, PartialEq, prost::Message)]
            pub(crate) struct Details {
                #[prost(uint32, optional, tag = "1")]
                pub(crate) serial: Option<u32>,
                #[prost(uint32, optional, tag = "2")]
                pub(crate) issuer_serial: Option<u32>,
                #[prost(bytes = "bytes", optional, tag = "3")]
                pub(crate) key: Option<Bytes>,
                #[prost(uint64, optional, tag = "4")]
                pub(crate) not_before: Option<u64>,
                #[prost(uint64, optional, tag = "5")]
                pub(crate) not_after: Option<u64>,
            }
        }
    }
}
