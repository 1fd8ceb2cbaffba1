//! Places (chapter 05 §11.10).

use bytes::Bytes;
use wa_proto::e2e_message::message::{LiveLocationMessage, LocationMessage};

use super::said;

/// A place.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// A small JPEG of the map.
    pub preview: Option<Bytes>,
}

/// Where somebody is now. Updates are messages of their own with a higher number.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LiveLocation {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres.
    pub accuracy: Option<u32>,
    /// Metres per second.
    pub speed: Option<f32>,
    /// Degrees clockwise from magnetic north.
    pub bearing: Option<u32>,
    /// What is written below it.
    pub caption: Option<String>,
    /// Grows with each update.
    pub sequence: Option<i64>,
    /// Seconds since sharing began.
    pub offset: Option<u32>,
    /// A small JPEG of the map.
    pub preview: Option<Bytes>,
}

impl Location {
    /// A place by its coordinates.
    pub fn new(latitude: f64, longitude: f64) -> Self {
        Self { latitude, longitude, ..Self::default() }
    }

    /// With a name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With an address.
    #[must_use]
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Whether it is a place on earth.
    pub fn is_on_earth(&self) -> bool {
        (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude)
    }
}

impl From<&LocationMessage> for Location {
    fn from(message: &LocationMessage) -> Self {
        Self {
            latitude: message.degrees_latitude(),
            longitude: message.degrees_longitude(),
            name: said(message.name.as_ref()),
            address: said(message.address.as_ref()),
            url: said(message.url.as_ref()),
            preview: message.jpeg_thumbnail.clone(),
        }
    }
}

impl From<&Location> for LocationMessage {
    fn from(location: &Location) -> Self {
        Self {
            degrees_latitude: Some(location.latitude),
            degrees_longitude: Some(location.longitude),
            name: location.name.clone(),
            address: location.address.clone(),
            url: location.url.clone(),
            jpeg_thumbnail: location.preview.clone(),
            ..Self::default()
        }
    }
}

/// The older form: a place that is marked as live.
impl From<&LocationMessage> for LiveLocation {
    fn from(message: &LocationMessage) -> Self {
        Self {
            latitude: message.degrees_latitude(),
            longitude: message.degrees_longitude(),
            accuracy: message.accuracy_in_meters,
            speed: message.speed_in_mps,
            bearing: message.degrees_clockwise_from_magnetic_north,
            caption: said(message.comment.as_ref()),
            preview: message.jpeg_thumbnail.clone(),
            ..Self::default()
        }
    }
}

impl From<&LiveLocationMessage> for LiveLocation {
    fn from(message: &LiveLocationMessage) -> Self {
        Self {
            latitude: message.degrees_latitude(),
            longitude: message.degrees_longitude(),
            accuracy: message.accuracy_in_meters,
            speed: message.speed_in_mps,
            bearing: message.degrees_clockwise_from_magnetic_north,
            caption: said(message.caption.as_ref()),
            sequence: message.sequence_number,
            offset: message.time_offset,
            preview: message.jpeg_thumbnail.clone(),
        }
    }
}

impl From<&LiveLocation> for LiveLocationMessage {
    fn from(live: &LiveLocation) -> Self {
        Self {
            degrees_latitude: Some(live.latitude),
            degrees_longitude: Some(live.longitude),
            accuracy_in_meters: live.accuracy,
            speed_in_mps: live.speed,
            degrees_clockwise_from_magnetic_north: live.bearing,
            caption: live.caption.clone(),
            sequence_number: live.sequence,
            time_offset: live.offset,
            jpeg_thumbnail: live.preview.clone(),
            ..Self::default()
        }
    }
}
