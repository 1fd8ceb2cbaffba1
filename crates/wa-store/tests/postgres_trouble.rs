//! What the Postgres backend says when a server is not as it should be: another program's schema, a newer one, a login
//! that is refused, nobody there, no TLS or the wrong certificate, a connection that ends in the middle of a read, whatever
//! the server answers to a commit. Each is an error of its own kind that says what to do, and later the same call works.

#![cfg(feature = "postgres")]

mod served;

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use served::{Reach, Server};
use tokio_postgres::{Client, NoTls};
use wa_store::backend::{Backend, Scan};
use wa_store::tables::KeyValues;
use wa_store::{
    AccountStore, Changes, Durability, PostgresBackend, PostgresOptions, Retry, Store, StoreError, Table,
};

/// Who may come in, by the first line that fits: the roles of these tests, then everybody.
const DOORS: &str = "host all with_password 127.0.0.1/32 scram-sha-256
hostssl all only_tls 127.0.0.1/32 trust
host all only_tls 127.0.0.1/32 reject
host all not_at_all 127.0.0.1/32 reject
";
const ROLES: &str = "CREATE ROLE with_password LOGIN PASSWORD 'right'; CREATE ROLE only_tls LOGIN; \
                     CREATE ROLE not_at_all LOGIN; CREATE ROLE guest LOGIN; \
                     CREATE ROLE single LOGIN SUPERUSER CONNECTION LIMIT 1;";

/// A server with TLS, and what proves that it is the right one.
struct Shared {
    server: Server,
    certificate: CertificateDer<'static>,
}

/// One for all tests of this file; it ends with the process.
fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let prepare = |data: &Path| {
            let write = |name: &str, text: String| {
                std::fs::write(data.join(name), text).map_err(|error| error.to_string())
            };
            write("server.crt", made.cert.pem())?;
            write("server.key", made.signing_key.serialize_pem())?;
            private(&data.join("server.key"));
            let doors =
                std::fs::read_to_string(data.join("pg_hba.conf")).map_err(|error| error.to_string())?;
            write("pg_hba.conf", format!("{DOORS}{doors}"))
        };
        let settings = "fsync = off\nssl = on\nsynchronous_commit = off\nmax_connections = 200";
        let server = served::prepared(Reach::Port, settings, prepare);
        Shared { server, certificate: made.cert.der().clone() }
    })
}

/// The server refuses a key that others can read.
fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn url() -> &'static str {
    shared().server.url()
}

/// The URL with another user (and password).
fn url_as(user: &str) -> String {
    url().replace("postgres://postgres@", &format!("postgres://{user}@"))
}

/// The URL of another database.
fn database(name: &str) -> String {
    format!("{}/{name}", url().rsplit_once('/').expect("a URL").0)
}

async fn control() -> Client {
    let (client, connection) = tokio_postgres::connect(url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The roles are made once, whichever test comes first.
async fn roles() {
    static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    MADE.get_or_init(async || control().await.batch_execute(ROLES).await.unwrap()).await;
}

fn new_schema() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("trouble_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

async fn open(url: &str, schema: &str) -> Result<PostgresBackend, StoreError> {
    PostgresOptions::new(url)?.schema(schema).connections(2).open().await
}

async fn account_in(schema: &str) -> (Store, AccountStore) {
    let backend = Arc::new(open(url(), schema).await.unwrap());
    let store = Store::builder(backend).holder("here").open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    (store, account)
}

fn changes(key: &'static str, value: &'static str) -> Changes {
    let mut changes = Changes::new();
    changes.put(
        KeyValues,
        &("app".into(), Bytes::from_static(key.as_bytes())),
        &Bytes::from_static(value.as_bytes()),
    );
    changes
}

async fn read(account: &AccountStore, key: &'static str) -> Result<Option<Bytes>, StoreError> {
    account.one(KeyValues, &("app".into(), Bytes::from_static(key.as_bytes()))).await
}

/// That an error says what to do, and in which words.
fn says(error: &StoreError, remedy: &str) {
    assert!(error.remedy().contains(remedy), "{error:?}: {}", error.remedy());
}

#[tokio::test]
async fn a_schema_of_another_program_is_refused_untouched() {
    let (schema, control) = (new_schema(), control().await);
    let theirs = format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.accounts (theirs text);");
    control.batch_execute(&theirs).await.unwrap();
    let refused = open(url(), &schema).await.unwrap_err();
    assert!(matches!(&refused, StoreError::ForeignSchema(name) if *name == schema), "{refused:?}");
    says(&refused, "a schema of its own");
    let tables = format!(
        "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = '{schema}'::regnamespace"
    );
    assert_eq!(control.query_one(&tables, &[]).await.unwrap().get::<_, String>(0), "accounts");
    // An empty one that somebody made for us is welcome.
    let schema = new_schema();
    control.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    open(url(), &schema).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_untouched() {
    let schema = new_schema();
    open(url(), &schema).await.unwrap();
    let control = control().await;
    control.batch_execute(&format!("INSERT INTO {schema}.wa_store (version) VALUES (999)")).await.unwrap();
    let refused = open(url(), &schema).await.unwrap_err();
    assert!(matches!(refused, StoreError::NewerSchema { found: 999, known: 1 }), "{refused:?}");
    assert_eq!(refused.retry(), Retry::Never);
    says(&refused, "a newer one");
    control.batch_execute(&format!("DELETE FROM {schema}.wa_store WHERE version = 999")).await.unwrap();
    open(url(), &schema).await.unwrap();
}

#[tokio::test]
async fn a_login_that_is_refused_is_told_as_that() {
    roles().await;
    for user in ["with_password:wrong", "nobody_knows_me", "not_at_all", "only_tls"] {
        let refused = open(&url_as(user), "wa_store").await;
        // Whom the server trusts by default it lets in by name only: an unknown role is no login either.
        let Err(refused) = refused else { panic!("{user} came in") };
        assert!(matches!(refused, StoreError::AccessDenied(_)), "{user}: {refused:?}");
        says(&refused, "user, password, pg_hba.conf");
    }
    let forgotten = open(&url_as("with_password"), "wa_store").await.unwrap_err();
    assert!(matches!(forgotten, StoreError::Settings(_)), "no password at all: {forgotten:?}");
}

#[tokio::test]
async fn a_role_without_rights_is_told_so_and_needs_none_on_tables_that_are_there() {
    roles().await;
    let schema = new_schema();
    let refused = open(&url_as("guest"), &schema).await.unwrap_err();
    assert!(matches!(refused, StoreError::AccessDenied(_)), "{refused:?}");
    says(&refused, "may create and use the schema");
    open(url(), &schema).await.unwrap();
    let refused = open(&url_as("guest"), &schema).await.unwrap_err();
    assert!(matches!(refused, StoreError::AccessDenied(_)), "{refused:?}");
    let grant = format!(
        "GRANT USAGE ON SCHEMA {schema} TO guest;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO guest"
    );
    control().await.batch_execute(&grant).await.unwrap();
    let backend = Arc::new(open(&url_as("guest"), &schema).await.unwrap());
    let account = Store::builder(backend).open().await.unwrap().account("main").open().await.unwrap();
    account.commit(changes("x", "1")).await.unwrap().release();
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() {
    let refused = open(&database("nowhere"), "wa_store").await.unwrap_err();
    assert!(matches!(refused, StoreError::UnknownDatabase(_)), "{refused:?}");
    says(&refused, "Create the database");
}

#[tokio::test]
async fn what_cannot_be_a_setting_is_told_before_anything_is_sent() {
    let schema = |name: &str| PostgresOptions::new(url()).unwrap().schema(name).open();
    let bare = |url: &str| PostgresOptions::new(url).unwrap().open();
    let refused = [
        PostgresOptions::new("postgres://a b@:c").map(drop),
        schema("").await.map(drop),
        schema(&"x".repeat(64)).await.map(drop),
        // Over the network in the clear; an address that nobody has.
        bare("postgres://user@192.0.2.1/bots").await.map(drop),
        bare("host=localhost,db.example.invalid user=x").await.map(drop),
        bare(&format!("{}?sslmode=require", url())).await.map(drop),
    ];
    for (place, refused) in refused.into_iter().enumerate() {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::Settings(_)), "{place}: {refused:?}");
        assert_eq!(refused.retry(), Retry::Never);
        says(&refused, "Correct the URL");
    }
    let control = control().await;
    let latin = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    control.batch_execute(latin).await.unwrap();
    let refused = open(&database("latin"), "wa_store").await.unwrap_err();
    assert!(matches!(&refused, StoreError::Settings(why) if why.to_string().contains("UTF8")), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_and_found_when_it_is() {
    let own = served::start(Reach::Socket, "fsync = off");
    own.stop("fast").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [own.url().to_owned(), format!("postgres://postgres@{gone}/postgres")] {
        let refused = open(&url, "wa_store").await.unwrap_err();
        assert!(matches!(refused, StoreError::ConnectionLost(_)), "{refused:?}");
        assert_eq!(refused.retry(), Retry::Same);
        says(&refused, "Check the database server and the network");
    }
    own.restart().unwrap();
    open(own.url(), "wa_store").await.unwrap();
}

/// In virtual time: nothing else happens, so the patience is over at once.
#[tokio::test(start_paused = true)]
async fn a_server_that_takes_the_connection_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://postgres@{}/postgres?connect_timeout=5", silent.local_addr().unwrap());
    let begun = tokio::time::Instant::now();
    let refused = open(&url, "wa_store").await.unwrap_err();
    assert!(matches!(refused, StoreError::ConnectionLost(_)), "{refused:?}");
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_server_without_room_is_told_and_used_when_there_is_some() {
    roles().await;
    let (schema, full) = (new_schema(), url_as("single"));
    // A superuser is not limited; from now on it is none.
    let control = control().await;
    open(url(), &schema).await.unwrap();
    let grant = format!(
        "ALTER ROLE single NOSUPERUSER; GRANT USAGE ON SCHEMA {schema} TO single;
                         GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO single"
    );
    control.batch_execute(&grant).await.unwrap();
    let (other, connection) = tokio_postgres::connect(&full, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let refused = open(&full, &schema).await.unwrap_err();
    assert!(matches!(refused, StoreError::ServerFull(_)), "{refused:?}");
    assert_eq!(refused.retry(), Retry::Same);
    says(&refused, "fewer connections");
    drop(other);
    connection.await.unwrap().unwrap();
    until(&control, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'single')").await;
    open(&full, &schema).await.unwrap();
}

fn trusting(certificates: &[&CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add((*certificate).clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

async fn open_tls(url: &str, tls: Arc<ClientConfig>, schema: &str) -> Result<PostgresBackend, StoreError> {
    PostgresOptions::new(url)?.tls(tls).schema(schema).connections(2).open().await
}

#[tokio::test]
async fn over_tls_a_certificate_that_is_trusted_is_taken_and_everything_is_encrypted() {
    roles().await;
    let (schema, tls) = (new_schema(), trusting(&[&shared().certificate]));
    open(url(), &schema).await.unwrap();
    let grant = format!(
        "GRANT USAGE ON SCHEMA {schema} TO only_tls; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO only_tls"
    );
    let control = control().await;
    control.batch_execute(&grant).await.unwrap();
    // The server takes this role over TLS only.
    let backend = open_tls(&url_as("only_tls"), tls.clone(), &schema).await.unwrap();
    let account =
        Store::builder(Arc::new(backend)).open().await.unwrap().account("main").open().await.unwrap();
    account.commit(changes("x", "1")).await.unwrap().release();
    assert_eq!(read(&account, "x").await.unwrap().unwrap(), "1");
    let plain = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl
                 JOIN pg_stat_activity USING (pid) WHERE usename = 'only_tls'";
    let row = control.query_one(plain, &[]).await.unwrap();
    assert!(row.get::<_, i64>(0) >= 2 && row.get::<_, i64>(1) == 0, "{row:?}");
    // Whatever the URL says: a configuration given is a configuration used.
    let url = format!("{}?sslmode=disable", url_as("only_tls"));
    open_tls(&url, tls, &schema).await.unwrap();
}

#[tokio::test]
async fn over_tls_a_certificate_that_nobody_vouches_for_is_refused() {
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let ours = &shared().certificate;
    let cases = [
        ("no roots", url().to_owned(), trusting(&[])),
        ("another root", url().to_owned(), trusting(&[stranger.cert.der()])),
        (
            "another name",
            format!("host=other.example.invalid hostaddr=127.0.0.1 port={} user=postgres", port()),
            trusting(&[ours]),
        ),
    ];
    for (case, url, tls) in cases {
        let refused = open_tls(&url, tls, "wa_store").await.unwrap_err();
        assert!(matches!(refused, StoreError::Tls(_)), "{case}: {refused:?}");
        says(&refused, "certificate fits the host");
    }
}

fn port() -> u16 {
    url().rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()?.parse().ok()).expect("a port")
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_in_the_clear_when_tls_is_asked_for() {
    let plain = served::start(Reach::Port, "fsync = off");
    let refused = open_tls(plain.url(), trusting(&[&shared().certificate]), "wa_store").await.unwrap_err();
    assert!(matches!(refused, StoreError::Tls(_)), "{refused:?}");
    says(&refused, "TLS on");
    open(plain.url(), "wa_store").await.unwrap();
}

/// Asks the server until it says yes.
async fn until(control: &Client, question: &str) {
    while !control.query_one(question, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
}

/// Waits until two reads wait for a lock, then ends their sessions.
async fn end_those_who_wait(control: &Client) {
    let waiting = "SELECT count(*) >= 2 FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND query LIKE '%lost_reads%'";
    until(control, waiting).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE wait_event_type = 'Lock' AND query LIKE '%lost_reads%'";
    control.query(end, &[]).await.unwrap();
}

#[tokio::test]
async fn reads_that_lose_their_connection_in_the_middle_say_so_and_work_again() {
    let schema = "lost_reads";
    let backend = PostgresOptions::new(url()).unwrap().schema(schema).connections(4).open().await.unwrap();
    let backend = Arc::new(backend);
    let store = Store::builder(backend.clone()).open().await.unwrap();
    let account = store.account("main").open().await.unwrap();
    account.commit(changes("x", "1")).await.unwrap().release();
    // In a transaction the server shows the same sessions for ever: who holds the lock cannot watch.
    let (mut locker, watcher) = (control().await, control().await);
    for _ in 0..3 {
        // A read waits for this lock, so it is under way when its session ends.
        let lock = locker.transaction().await.unwrap();
        lock.batch_execute(&format!("LOCK TABLE {schema}.rows IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        let scan = Scan { table: Table::KeyValues, prefix: Bytes::new(), after: None, limit: 10 };
        let main = account.id().clone();
        let (one, page, ()) = tokio::join!(read(&account, "x"), backend.scan(&main, scan), async {
            end_those_who_wait(&watcher).await;
        });
        for error in [one.unwrap_err(), page.map(drop).unwrap_err()] {
            assert!(
                matches!(error, StoreError::ServerUnavailable(_) | StoreError::ConnectionLost(_)),
                "{error:?}"
            );
            assert_eq!(error.retry(), Retry::Same);
            says(&error, "database server");
        }
        lock.rollback().await.unwrap();
        assert_eq!(read(&account, "x").await.unwrap().unwrap(), "1", "the pool has made new connections");
    }
    account.commit(changes("x", "2")).await.unwrap().release();
    assert_eq!(read(&account, "x").await.unwrap().unwrap(), "2");
}

/// The server's answer to a commit, made by a trigger: the code is what it would say by itself.
#[tokio::test]
async fn whatever_the_server_answers_to_a_commit_is_told_and_the_same_commit_goes_through_later() {
    let schema = new_schema();
    let (store, account) = account_in(&schema).await;
    let control = control().await;
    type Is = fn(&StoreError) -> bool;
    let answers: &[(&str, Is)] = &[
        ("53100", |error| matches!(error, StoreError::DiskFull(_))),
        ("53200", |error| matches!(error, StoreError::ServerFull(_))),
        ("58030", |error| matches!(error, StoreError::Io(_))),
        ("57P01", |error| matches!(error, StoreError::ServerUnavailable(_))),
        ("57P02", |error| matches!(error, StoreError::ServerUnavailable(_))),
        ("40P01", |error| matches!(error, StoreError::Locked(_))),
        ("55P03", |error| matches!(error, StoreError::Locked(_))),
        ("08006", |error| matches!(error, StoreError::ConnectionLost(_))),
        ("25006", |error| matches!(error, StoreError::ReadOnly(_))),
    ];
    for (code, is_it) in answers {
        let trigger = format!(
            "CREATE FUNCTION {schema}.answer() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'as the test wants' USING ERRCODE = '{code}'; END $$;
             CREATE TRIGGER answer BEFORE INSERT OR UPDATE ON {schema}.rows
             FOR EACH ROW EXECUTE FUNCTION {schema}.answer()"
        );
        control.batch_execute(&trigger).await.unwrap();
        let failed = account.commit(changes("x", code).holding(*code)).await.unwrap_err();
        assert!(is_it(&failed.error), "{code}: {failed:?}");
        assert_eq!(failed.error.retry(), Retry::Same, "{code}");
        control.batch_execute(&format!("DROP FUNCTION {schema}.answer() CASCADE")).await.unwrap();
        assert_ne!(
            read(&account, "x").await.unwrap().as_deref(),
            Some(code.as_bytes()),
            "nothing of it is there"
        );
        let committed = account.commit(*failed.pending).await.unwrap();
        assert_eq!(committed.release(), *code);
        assert_eq!(read(&account, "x").await.unwrap().as_deref(), Some(code.as_bytes()));
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_told_and_reads_go_on() {
    let own = served::start(Reach::Socket, "fsync = off");
    open(own.url(), "wa_store").await.unwrap();
    let (control, connection) = tokio_postgres::connect(own.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    control.batch_execute("ALTER DATABASE postgres SET default_transaction_read_only = on").await.unwrap();
    let backend = open(own.url(), "wa_store").await.unwrap();
    assert!(backend.accounts(None, 10).await.unwrap().is_empty());
    let refused =
        backend.heartbeat(&"here".into(), Default::default(), Duration::from_secs(9)).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly(_)), "{refused:?}");
    says(&refused, "use the primary");
    let refused = open(own.url(), "another").await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly(_)), "{refused:?}");
}

/// The server of these tests says `synchronous_commit = off` to everybody who does not ask.
#[tokio::test]
async fn every_commit_is_synchronous_whatever_the_servers_default_is() {
    let schema = new_schema();
    let (store, account) = account_in(&schema).await;
    // Without `fsync` even that is worth less, and the store says so.
    assert_eq!(store.durability(), Durability::Process);
    let control = control().await;
    let trigger = format!(
        "CREATE TABLE {schema}.seen (place text, setting text);
         CREATE FUNCTION {schema}.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO {schema}.seen VALUES (TG_TABLE_NAME, current_setting('synchronous_commit')); RETURN NEW; END $$;
         CREATE TRIGGER look BEFORE INSERT OR UPDATE ON {schema}.rows FOR EACH ROW EXECUTE FUNCTION {schema}.look();
         CREATE TRIGGER look BEFORE INSERT OR UPDATE ON {schema}.accounts FOR EACH ROW EXECUTE FUNCTION {schema}.look();
         CREATE TRIGGER look BEFORE INSERT OR UPDATE ON {schema}.holders FOR EACH ROW EXECUTE FUNCTION {schema}.look()"
    );
    control.batch_execute(&trigger).await.unwrap();
    account.commit(changes("x", "1")).await.unwrap().release();
    store.backend().heartbeat(store.holder(), store.clock().now(), Duration::from_secs(30)).await.unwrap();
    store.account("other").open().await.unwrap().release().await.unwrap();
    let seen = control
        .query(&format!("SELECT place, setting FROM {schema}.seen GROUP BY 1, 2 ORDER BY 1"), &[])
        .await
        .unwrap();
    let seen: Vec<(String, String)> = seen.iter().map(|row| (row.get(0), row.get(1))).collect();
    let on = |table: &str| (table.to_owned(), "on".to_owned());
    assert_eq!(seen, [on("accounts"), on("holders"), on("rows")]);
    let durable = served::start(Reach::Socket, "");
    assert_eq!(open(durable.url(), "wa_store").await.unwrap().durability(), Durability::Power);
}

#[tokio::test]
async fn upkeep_runs_and_finds_rows_without_an_account() {
    let schema = new_schema();
    let (store, account) = account_in(&schema).await;
    account.commit(changes("x", "1")).await.unwrap().release();
    store.vacuum().await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let orphan = format!("INSERT INTO {schema}.rows (account, tab, key, value) VALUES (-1, 34, '', '')");
    control().await.batch_execute(&orphan).await.unwrap();
    let findings = store.check().await.unwrap();
    assert!(
        findings.len() == 1 && findings[0].starts_with("1 rows belong to account number -1"),
        "{findings:?}"
    );
    let copy = store.backup("nowhere").await.unwrap_err();
    assert!(matches!(copy, StoreError::Unsupported("backup")), "{copy:?}");
    says(&copy, "the database's own tools");
}

#[tokio::test]
async fn a_damaged_account_row_stops_nobody_else() {
    let schema = new_schema();
    let (store, good) = account_in(&schema).await;
    let bad = store.account("bad").open().await.unwrap();
    let damage = format!("UPDATE {schema}.accounts SET applied = '\\x00' WHERE name = 'bad'");
    control().await.batch_execute(&damage).await.unwrap();
    let results = tokio::join!(
        good.commit(changes("1", "v")),
        bad.commit(changes("1", "v")),
        good.commit(changes("2", "v")),
    );
    assert!(results.0.is_ok() && results.2.is_ok(), "{results:?}");
    let refused = results.1.unwrap_err().error;
    assert!(matches!(refused, StoreError::CorruptFile(_)), "{refused:?}");
    assert!(read(&good, "1").await.unwrap().is_some() && read(&good, "2").await.unwrap().is_some());
}
