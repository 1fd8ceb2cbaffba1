//! Why an account is in the state it is in: one documented cause for every code of the wire (chapters 01 §6, §12
//! and 09c §5) and for everything local that stops an account.
//!
//! A cause has a stable name (also the name of its page under `docs/health/`), says whether it heals by itself, and
//! has a remedy: one sentence for the operator, in English and Russian.

use core::fmt;

/// Languages of the remedy catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Russian.
    Russian,
}

/// Whether a condition ends without anybody doing something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Healing {
    /// The client recovers alone, or the condition is no trouble at all.
    ByItself,
    /// Somebody has to act: the remedy says what.
    NeedsAction,
}

/// What an operator should do about a condition. Prints in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy(Cause);

impl Remedy {
    /// The sentence in a language.
    pub fn text(&self, language: Language) -> &'static str {
        let entry = self.0.entry();
        match language {
            Language::English => entry.english,
            Language::Russian => entry.russian,
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(Language::English))
    }
}

struct Entry {
    name: &'static str,
    healing: Healing,
    english: &'static str,
    russian: &'static str,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $healing:ident, $english:literal, $russian:literal;)*) => {
        /// Why an account is in its state. [`Cause::name`] is stable and may be stored or alerted on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[$doc])* $variant,)*
        }

        impl Cause {
            /// Every cause, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry {
                        name: $name,
                        healing: Healing::$healing,
                        english: $english,
                        russian: $russian,
                    },)*
                }
            }
        }
    };
}

causes! {
    /// The client was just started and has not tried to connect yet.
    Started = "started", ByItself,
        "Wait: the client is starting.",
        "Подождите: клиент запускается.";
    /// The account has no credentials: somebody must scan the QR code.
    NotLinked = "not-linked", NeedsAction,
        "Scan the QR code with the phone: Settings, Linked devices, Link a device.",
        "Отсканируйте QR-код телефоном: Настройки, Связанные устройства, Привязка устройства.";
    /// A pairing code is shown and waits to be typed into the phone.
    CodeShown = "code-shown", NeedsAction,
        "Type the code into the phone: Settings, Linked devices, Link with phone number instead.",
        "Введите код на телефоне: Настройки, Связанные устройства, Связать по номеру телефона.";
    /// All QR refs of the connection ran out (160 seconds).
    QrExpired = "qr-expired", NeedsAction,
        "Ask for new QR codes and scan one within 160 seconds.",
        "Запросите новые QR-коды и отсканируйте один из них в течение 160 секунд.";
    /// The pairing code is older than 180 seconds, was mistyped or was retired by the server.
    CodeExpired = "code-expired", NeedsAction,
        "Ask for a new pairing code and type it within three minutes.",
        "Запросите новый код и введите его в течение трёх минут.";
    /// The account demands a passkey before it accepts a new device.
    PasskeyDemanded = "passkey-demanded", NeedsAction,
        "Confirm with the passkey of the account's owner.",
        "Подтвердите вход ключом доступа (passkey) владельца аккаунта.";
    /// The phone has accepted the device and the keys are being exchanged.
    LinkingInProgress = "linking-in-progress", ByItself,
        "Wait: the phone is linking this device.",
        "Подождите: телефон привязывает это устройство.";
    /// The link was refused: a signature or MAC of the phone's answer was wrong, or the application said no.
    LinkRefused = "link-refused", NeedsAction,
        "Link again; if it fails again, check that nothing sits between the client and the server.",
        "Повторите привязку; если не поможет, проверьте, нет ли посредника между клиентом и сервером.";
    /// Connected and in step.
    Working = "working", ByItself,
        "Nothing to do.",
        "Ничего делать не нужно.";
    /// Connected; messages that waited on the server are being received.
    OfflineBacklog = "offline-backlog", ByItself,
        "Wait: messages that arrived while the client was away are being received.",
        "Подождите: принимаются сообщения, пришедшие за время отсутствия.";
    /// The server cannot be reached: DNS, TCP or the proxy failed.
    NetworkUnreachable = "network-unreachable", ByItself,
        "Check the network, the proxy and the firewall; the client keeps trying.",
        "Проверьте сеть, прокси и межсетевой экран; клиент продолжает попытки.";
    /// The TLS handshake failed.
    TlsFailed = "tls-failed", ByItself,
        "Check the machine's clock and whether a proxy inspects TLS; the client keeps trying.",
        "Проверьте часы машины и не вскрывает ли прокси TLS; клиент продолжает попытки.";
    /// The server answered the WebSocket upgrade with a final HTTP status.
    UpgradeRefused = "upgrade-refused", NeedsAction,
        "Check the URL and the proxy: the server refused the WebSocket.",
        "Проверьте адрес и прокси: сервер отказал в WebSocket.";
    /// The Noise handshake failed, timed out or was malformed.
    HandshakeFailed = "handshake-failed", ByItself,
        "The client tries again; if it persists, check what sits between the client and the server.",
        "Клиент повторит попытку; если не проходит, проверьте, что стоит между клиентом и сервером.";
    /// The server's certificate chain is not signed by the trusted root or is out of date.
    ServerNotTrusted = "server-not-trusted", NeedsAction,
        "Check the machine's clock and the root of trust: the server could not prove who it is.",
        "Проверьте часы машины и корень доверия: сервер не подтвердил свою подлинность.";
    /// The connection was closed by the other side or by the network.
    ConnectionLost = "connection-lost", ByItself,
        "Wait: the client reconnects.",
        "Подождите: клиент переподключается.";
    /// No data came for too long although the socket looked open.
    KeepaliveLost = "keepalive-lost", ByItself,
        "Wait: the client reconnects; if it repeats, the network drops idle connections.",
        "Подождите: клиент переподключается; если повторяется, сеть обрывает простаивающие соединения.";
    /// A frame could not be decrypted: the two sides are out of step.
    TransportOutOfStep = "transport-out-of-step", ByItself,
        "Wait: the client reconnects with fresh keys.",
        "Подождите: клиент переподключается с новыми ключами.";
    /// Stream error 515: the server asks for a restart, as after linking.
    RestartRequired = "restart-required", ByItself,
        "Wait: the server asked for a new connection.",
        "Подождите: сервер попросил переподключиться.";
    /// Failure or stream error 500 or 503.
    ServerTrouble = "server-trouble", ByItself,
        "Wait: the server has trouble; the client tries again with growing pauses.",
        "Подождите: у сервера неполадки; клиент повторяет попытки с растущими паузами.";
    /// Stream error 429.
    RateLimited = "rate-limited", ByItself,
        "Reduce the rate of connections and requests; the client waits longer before it tries again.",
        "Уменьшите частоту подключений и запросов; клиент ждёт дольше перед новой попыткой.";
    /// Another stream error: an unacknowledged stanza, bad XML or a code without a meaning of its own.
    StreamError = "stream-error", ByItself,
        "Wait: the client reconnects; report the evidence if it repeats.",
        "Подождите: клиент переподключается; если повторяется, сообщите данные об ошибке.";
    /// The phone has not been seen for long: a linked device is removed after 14 days without it.
    PhoneAway = "phone-away", NeedsAction,
        "Switch the phone on and open the application there before the deadline.",
        "Включите телефон и откройте на нём приложение до указанного срока.";
    /// The device itself was idle: the server removes it after 30 days.
    DeviceIdle = "device-idle", NeedsAction,
        "Keep the client connected: an idle linked device is removed after 30 days.",
        "Держите клиент подключённым: простаивающее устройство отвязывается через 30 дней.";
    /// Another connection with the same credentials took the session over.
    Replaced = "replaced", NeedsAction,
        "Stop the other program that uses the same credentials, then reconnect.",
        "Остановите другую программу с теми же учётными данными и переподключитесь.";
    /// Another process holds the account's lease.
    HeldElsewhere = "held-elsewhere", ByItself,
        "Stop the other process or wait until its lease ends.",
        "Остановите другой процесс или дождитесь окончания его аренды.";
    /// The lease was lost to another process while running.
    LeaseLost = "lease-lost", NeedsAction,
        "Find the other process that took the account; start this client again once it has stopped.",
        "Найдите процесс, забравший аккаунт; запустите клиент снова, когда тот остановится.";
    /// Unlinked from the phone: failure 401 or stream error 401.
    UnlinkedByPhone = "unlinked-by-phone", NeedsAction,
        "Link the account again: it was logged out from the phone.",
        "Привяжите аккаунт заново: выход выполнен с телефона.";
    /// The application called `logout`.
    LoggedOutByUser = "logged-out-by-user", NeedsAction,
        "Link the account again when it is wanted.",
        "Привяжите аккаунт заново, когда он понадобится.";
    /// Stream error with `device_removed`: the server removed the device.
    DeviceRemoved = "device-removed", NeedsAction,
        "Link the account again: this device was removed from the account.",
        "Привяжите аккаунт заново: устройство удалено из аккаунта.";
    /// The device was evicted because a new one was linked.
    EvictedByNewDevice = "evicted-by-new-device", NeedsAction,
        "Remove a linked device on the phone, then link this one again.",
        "Удалите одно из связанных устройств на телефоне и привяжите это заново.";
    /// Stream error 516: the server forces a logout.
    ForcedLogout = "forced-logout", NeedsAction,
        "Link the account again: the server ended the session.",
        "Привяжите аккаунт заново: сервер завершил сеанс.";
    /// The account already has as many linked devices as it may have.
    DeviceLimit = "device-limit", NeedsAction,
        "Remove a linked device on the phone and try again.",
        "Удалите одно из связанных устройств на телефоне и повторите.";
    /// Failure 402 with code 101: too many messages to people who do not have the number.
    BannedManyStrangers = "banned-many-strangers", NeedsAction,
        "Stop sending to strangers and wait until the ban ends; then reconnect.",
        "Прекратите рассылку незнакомым и дождитесь конца блокировки, затем переподключитесь.";
    /// Failure 402 with code 102: blocked by too many people.
    BannedManyBlocks = "banned-many-blocks", NeedsAction,
        "Wait until the ban ends; write only to people who expect it: many have blocked the number.",
        "Дождитесь конца блокировки; пишите только тем, кто этого ждёт: номер заблокировали многие.";
    /// Failure 402 with code 103: too many groups with strangers.
    BannedManyGroups = "banned-many-groups", NeedsAction,
        "Wait until the ban ends; do not put people who do not have the number into groups.",
        "Дождитесь конца блокировки; не добавляйте в группы тех, у кого нет вашего номера.";
    /// Failure 402 with code 104: the same message to too many people.
    BannedSameMessage = "banned-same-message", NeedsAction,
        "Wait until the ban ends; do not send the same message to many people.",
        "Дождитесь конца блокировки; не отправляйте одно сообщение многим людям.";
    /// Failure 402 with code 106: too much sent to a broadcast list.
    BannedBroadcasts = "banned-broadcasts", NeedsAction,
        "Wait until the ban ends; send less to broadcast lists.",
        "Дождитесь конца блокировки; меньше пишите в списки рассылки.";
    /// Failure 402 with another code.
    BannedForATime = "banned-for-a-time", NeedsAction,
        "Wait until the ban ends, then reconnect.",
        "Дождитесь конца блокировки, затем переподключитесь.";
    /// Failure 406: the account is banned.
    Banned = "banned", NeedsAction,
        "Ask for a review in the application on the phone: the account is banned.",
        "Запросите проверку в приложении на телефоне: аккаунт заблокирован.";
    /// Failure 403: the account is locked or its main device is gone.
    Locked = "locked", NeedsAction,
        "Open the application on the phone and follow what it says, then link again.",
        "Откройте приложение на телефоне и следуйте его указаниям, затем привяжите заново.";
    /// Failure 405: the client version is too old.
    ClientOutdated = "client-outdated", ByItself,
        "Wait: the client looks up the current version; if that fails, update the library.",
        "Подождите: клиент узнаёт текущую версию; если не получится, обновите библиотеку.";
    /// Failure 409: the user agent of the login payload was refused.
    BadUserAgent = "bad-user-agent", NeedsAction,
        "Use a supported device name and platform in the client's settings.",
        "Укажите в настройках клиента поддерживаемые имя устройства и платформу.";
    /// Another failure code of the login: 400, 413, 414, 415, 418, 501 or an unknown one.
    LoginRefused = "login-refused", NeedsAction,
        "Report the evidence: the server refused the login for an unusual reason.",
        "Сообщите данные об ошибке: сервер отказал во входе по необычной причине.";
    /// The account may not start new chats for a time (reach-out time-lock, acks with error 463).
    NewChatsLocked = "new-chats-locked", ByItself,
        "Answer existing chats only until the restriction ends.",
        "До конца ограничения отвечайте только в существующих чатах.";
    /// The cap of messages to new chats is near or reached (acks with error 475).
    NewChatCap = "new-chat-cap", ByItself,
        "Start fewer new chats until the cycle ends.",
        "Начинайте меньше новых чатов до конца цикла.";
    /// No media host took or gave a file: messages without files go on.
    MediaHostsDown = "media-hosts-down", ByItself,
        "Wait: files go on when the media hosts answer; if they never do, open proxy and firewall to mmg.whatsapp.net.",
        "Подождите: файлы пойдут, когда медиасерверы ответят; если этого не происходит, откройте прокси и брандмауэр для mmg.whatsapp.net.";
    /// The application does not take its events: the inbox has passed its limit.
    ApplicationBehind = "application-behind", NeedsAction,
        "Make the application take and acknowledge its events faster.",
        "Ускорьте получение и подтверждение событий приложением.";
    /// The store refuses commits.
    StoreFailing = "store-failing", ByItself,
        "Check the disk or the database; the client repeats the same commit until it succeeds.",
        "Проверьте диск или базу данных; клиент повторяет ту же запись, пока она не удастся.";
    /// The store refuses a commit for good.
    StoreBroken = "store-broken", NeedsAction,
        "Read the evidence, repair or reopen the store, and start the client again: nothing was acknowledged that was not stored.",
        "Прочитайте данные об ошибке, исправьте или откройте хранилище заново и запустите клиент: неподтверждённое не потеряно.";
    /// The application stopped the client.
    Stopped = "stopped", NeedsAction,
        "Start the client again when it is wanted.",
        "Запустите клиент снова, когда он понадобится.";
}

impl Cause {
    /// Stable name, equal to the name of the page under `docs/health/`.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Whether it ends by itself.
    pub const fn healing(self) -> Healing {
        self.entry().healing
    }

    /// What to do about it.
    pub const fn remedy(self) -> Remedy {
        Remedy(self)
    }

    /// The cause of a login failure's `reason` (chapter 01 §6.2); `code` is the ban code of reason 402.
    pub const fn of_failure(reason: Option<u16>, ban_code: Option<u16>) -> Self {
        match reason {
            Some(401) => Self::UnlinkedByPhone,
            Some(402) => match ban_code {
                Some(101) => Self::BannedManyStrangers,
                Some(102) => Self::BannedManyBlocks,
                Some(103) => Self::BannedManyGroups,
                Some(104) => Self::BannedSameMessage,
                Some(106) => Self::BannedBroadcasts,
                Some(_) => Self::BannedForATime,
                None => Self::LoginRefused,
            },
            Some(403) => Self::Locked,
            Some(405) => Self::ClientOutdated,
            Some(406) => Self::Banned,
            Some(409) => Self::BadUserAgent,
            Some(500 | 503) => Self::ServerTrouble,
            _ => Self::LoginRefused,
        }
    }

    /// The cause of a `stream:error` (chapter 01 §6.3) by its code and the type of its `conflict` child.
    pub fn of_stream_error(code: Option<u16>, conflict: Option<&str>) -> Self {
        match (code, conflict) {
            (_, Some("replaced")) => Self::Replaced,
            (_, Some("device_removed")) => Self::DeviceRemoved,
            (_, Some(_)) => Self::ForcedLogout,
            (Some(401), None) => Self::UnlinkedByPhone,
            (Some(409), None) => Self::Replaced,
            (Some(429), None) => Self::RateLimited,
            (Some(500 | 503), None) => Self::ServerTrouble,
            (Some(515), None) => Self::RestartRequired,
            (Some(516), None) => Self::ForcedLogout,
            _ => Self::StreamError,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cause_has_its_own_name_and_a_sentence_in_both_languages() {
        let names: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            for language in [Language::English, Language::Russian] {
                let text = cause.remedy().text(language);
                assert!(text.ends_with('.') && text.len() > 10, "{cause}: {text}");
            }
            assert!(cause.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{cause}");
        }
    }

    #[test]
    fn every_cause_has_its_page() {
        let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/health");
        let index = std::fs::read_to_string(format!("{pages}/README.md")).unwrap();
        for cause in Cause::ALL {
            let page = std::fs::read_to_string(format!("{pages}/{cause}.md")).unwrap();
            assert!(page.contains(&format!("`{cause}`: ")) && page.contains("**What to do:**"), "{cause}");
            assert!(index.contains(&format!("({cause}.md)")), "{cause}");
        }
    }

    #[test]
    fn every_failure_code_of_the_wire_has_a_cause() {
        for reason in 400..600 {
            let cause = Cause::of_failure(Some(reason), Some(101));
            assert_eq!(
                cause == Cause::LoginRefused,
                ![401, 402, 403, 405, 406, 409, 500, 503].contains(&reason)
            );
        }
        assert_eq!(Cause::of_failure(None, None), Cause::LoginRefused);
        assert_eq!(Cause::of_failure(Some(402), None), Cause::LoginRefused);
    }
}
