import SASL
import SMTP

/// What an attempt says to the connection it uses, until its order has an end: answers to what only the attempt can know.
struct Conversation: Sendable {
    let message: OutboundMessage
    let host: Destination
    let route: Route
    let checks: DeliveryChecks
    let order: DeliveryOrder

    /// Over a connection that was just opened for the order.
    func hold(over connection: ClientConnection) async -> DeliveryReport {
        await withTaskCancellationHandler {
            await answer(connection)
        } onCancel: {
            connection.tell(order) { $0.closeNow() }
        }
    }

    /// Over a connection that was kept after an earlier message; nil when it proved dead before MAIL FROM was answered.
    func resume(_ connection: ClientConnection) async -> DeliveryReport? {
        guard await checks.mayLeave() else {
            connection.tell { $0.rest() }
            return DeliveryReport(result: .withdrawn, remoteMTA: host.description)
        }
        let envelope = message.envelope
        connection.tell { $0.begin(order, envelope) }
        let report = await hold(over: connection)
        guard case .outcome(.deferred(let failure)) = report.result, failure.stage == .mail, failure.scope == .session, !Task.isCancelled
        else {
            return report
        }
        return nil
    }

    private func answer(_ connection: ClientConnection) async -> DeliveryReport {
        var attempt = Authentication()
        var withdrawn = false
        var isDotAnnounced = false
        while true {
            switch await order.next() {
            case .ready:
                if await checks.mayLeave() {
                    let envelope = message.envelope
                    connection.tell(order) { $0.start(envelope) }
                } else {
                    withdrawn = true
                    connection.tell(order) { $0.decline() }
                }
            case .startAuthentication(let offered): attempt = await authenticate(offered, connection)
            case .challenge(let challenge): await answer(challenge, with: attempt.exchange, connection)
            case .confirmAuthentication:
                let complete = (try? attempt.exchange?.finish()) != nil
                connection.tell(order) { $0.confirm(complete) }
            case .announceFinalDot:
                if await checks.finalDot() {
                    isDotAnnounced = true
                    connection.tell(order) { $0.finalDotDurable() }
                } else {
                    withdrawn = true
                    connection.tell(order) { $0.abandon() }
                }
            case .ended(let ending):
                var report = report(ending, attempt, withdrawn: withdrawn)
                report.isDotAnnounced = isDotAnnounced
                return report
            }
        }
    }

    /// How far the login came.
    private struct Authentication {
        var exchange: SASLClient?
        var login: Login?
        var trouble: LoginTrouble?
    }

    private func report(_ ending: DeliveryOrder.Ending, _ attempt: Authentication, withdrawn: Bool) -> DeliveryReport {
        var result = DeliveryReport.Result.withdrawn
        if !withdrawn, let outcome = ending.outcome { result = .outcome(outcome) }
        var report = DeliveryReport(
            result: result, remoteMTA: host.description(at: ending.peerAddress), tls: ending.tls, transcript: ending.transcript,
            // The server's own reason stands in its last challenge; its reply says only that it is so.
            note: attempt.exchange?.rejection.map { "\($0)" } ?? ending.note,
            isPeerRefused: ending.isPeerRefused, isSession: ending.isGreeted)
        report.loginTrouble = attempt.trouble
        if let failure = ending.outcome?.failure, failure.cause == .authenticationFailed, let reply = failure.reply, reply.code >= 500 {
            report.refusedLogin = attempt.login
        }
        return report
    }

    private func authenticate(_ offered: [String], _ connection: ClientConnection) async -> Authentication {
        guard let credentials = route.credentials else {
            connection.tell(order) { $0.cancelAuthentication(because: "no credentials") }
            return Authentication()
        }
        let login: Login
        do throws(LoginTrouble) {
            login = try await credentials.source.login()
        } catch {
            let why = error.message
            connection.tell(order) { $0.cancelAuthentication(because: why) }
            return Authentication(trouble: error)
        }
        let client = SASLClient(
            service: "smtp", host: host.name, credentials: login.credentials, mechanisms: credentials.mechanisms, channelIsProtected: true)
        do throws(SASLError) {
            let start = try await client.begin(offered: offered)
            connection.tell(order) {
                $0.authenticate(mechanism: start.mechanism.rawValue, initial: start.initialResponse, login: login.credentials)
            }
            return Authentication(exchange: client, login: login)
        } catch {
            let why = "\(error)"
            connection.tell(order) { $0.cancelAuthentication(because: why) }
            return Authentication(login: login)
        }
    }

    private func answer(_ challenge: [UInt8], with exchange: SASLClient?, _ connection: ClientConnection) async {
        do {
            let response = try await exchange?.answer(challenge) ?? []
            connection.tell(order) { $0.answer(response) }
        } catch {
            let why = "\(error)"
            connection.tell(order) { $0.cancelAuthentication(because: why) }
        }
    }
}
