//! The login of a MySQL or MariaDB server in the form that other programs take.

use super::target::{Place, Target, Tls};

/// Where a server is and who asks. The password leaves it in an option file only.
pub struct Login {
    /// The host; a socket is in the option file.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// A connection without TLS is not wanted.
    pub wants_tls: bool,
    options: Vec<(&'static str, String)>,
}

impl Target {
    /// Returns the login of a MySQL or MariaDB server.
    pub fn login(&self) -> Option<Login> {
        let Place::Mysql(network) = &self.place else { return None };
        // Client libraries take "localhost" for the socket.
        let host = if network.host == "localhost" { "127.0.0.1" } else { &network.host };
        let mut options = vec![("host", host.to_owned()), ("port", network.port.to_string())];
        options.push(("user", network.user.clone()));
        options.extend(network.password.clone().map(|password| ("password", password)));
        let socket = network.socket.as_ref().map(|path| path.display().to_string());
        options.extend(socket.map(|path| ("socket", path)));
        let authority = network.tls_ca.as_ref().map(|path| path.display().to_string());
        options.extend(authority.map(|path| ("ssl-ca", path)));
        Some(Login {
            host: host.to_owned(),
            port: network.port,
            user: network.user.clone(),
            wants_tls: !matches!(network.tls, Tls::Disable | Tls::Prefer),
            options,
        })
    }
}

impl Login {
    /// Returns the text of an option file (MySQL 8.4 manual, 6.2.2.2 "Using Option Files").
    pub fn option_file(&self) -> String {
        let mut text = "[client]\n".to_owned();
        for (name, value) in &self.options {
            let escaped = value.replace('\\', "\\\\").replace('\n', "\\n");
            text.push_str(&format!("{name}=\"{escaped}\"\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Secrets;

    #[test]
    fn an_option_file_holds_what_a_client_needs() {
        let url = "mysql://ann:p%23%5Cw@db.example:3307/shop?sslmode=require";
        let login = Target::parse(url, &Secrets::default()).unwrap().login().unwrap();
        let expected = "[client]\nhost=\"db.example\"\nport=\"3307\"\nuser=\"ann\"\n\
                        password=\"p#\\\\w\"\n";
        assert_eq!(login.option_file(), expected);
        assert!(login.wants_tls);
    }

    #[test]
    fn other_servers_have_none() {
        assert!(Target::memory().login().is_none());
    }
}
