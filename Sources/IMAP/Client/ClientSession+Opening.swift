/// From the greeting to the login: what may be said on which kind of connection.
extension ClientSession {
    mutating func greeted(_ response: Response) {
        guard case .status(let status) = response else { return close(.protocolError(.badGreeting)) }
        if case .capability(let offered) = status.code { capabilities = offered }
        if status.code == .alert { alert(.server, text: status.text) }
        stopTimers()
        switch status.condition {
        case .ok:
            open()
        case .preauth:
            // RFC 9051 §11.1: in this state there is no STARTTLS any more, so an attacker who says it would read everything.
            guard configuration.encryption != .startTLS else { return close(.safety(.preauthenticatedWithoutTLS)) }
            isAuthenticated = true
            capabilities == nil ? askCapability() : openMailboxes()
        case .bye:
            leave(status)
        case .no, .bad:
            close(.protocolError(.badGreeting))
        }
    }

    mutating func askCapability() {
        begin("CAPABILITY", .capability)
    }

    mutating func endCapability(_ status: StatusResponse) {
        guard status.condition == .ok else { return refuse(status) }
        if capabilities == nil { capabilities = Capabilities() }
        isAuthenticated ? openMailboxes() : open()
    }

    /// Takes the next step towards the login.
    private mutating func open() {
        let isClear = protection == .none
        if isClear, configuration.encryption != .startTLS, configuration.credentialPolicy != .anywhere {
            return close(.safety(.unprotectedCredentials))
        }
        guard let capabilities else { return askCapability() }
        if isClear, configuration.encryption == .startTLS {
            guard capabilities.has("STARTTLS") else { return close(.safety(.startTLSNotOffered)) }
            return begin("STARTTLS", .startTLS)
        }
        switch configuration.authentication {
        case .login(let credentials):
            logIn(credentials, capabilities)
        case .sasl:
            guard !capabilities.mechanisms.isEmpty else {
                guard let fallback = configuration.loginFallback else { return close(.loginUnavailable) }
                return logIn(fallback, capabilities)
            }
            phase = .choosingMechanism
            actions.append(.startAuthentication(offered: capabilities.mechanisms, initialResponse: capabilities.has("SASL-IR")))
        }
    }

    private mutating func logIn(_ credentials: Credentials, _ capabilities: Capabilities) {
        guard !capabilities.has("LOGINDISABLED") else { return close(.loginUnavailable) }
        begin("LOGIN ", .login) {
            $0.string(credentials.username)
            $0.words(" ")
            $0.string(credentials.password)
        }
        self.capabilities = nil
    }

    mutating func endStartTLS(_ status: StatusResponse) {
        guard status.condition == .ok else { return close(Self.reasonInCode(status) ?? .safety(.startTLSRefused)) }
        guard reader.isEmpty else { return close(.safety(.injectedBeforeTLS)) }
        // RFC 9051 §6.2.1: nothing said in the clear counts any more.
        capabilities = nil
        phase = .handshaking
        actions.append(.startTLS)
        startTimers()
    }

    /// Ends the session because of a command that every server must take.
    mutating func refuse(_ status: StatusResponse) {
        close(Self.reasonInCode(status) ?? .protocolError(.commandRefused(text: status.text)))
    }
}
