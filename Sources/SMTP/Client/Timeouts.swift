/// How long a client waits in each stage, RFC 5321 §4.5.3.2; the machine names stages, the driver keeps the clock.
package struct Timeouts: Sendable, Hashable {
    package var connect: Duration = .seconds(30)
    /// RFC 5321 §4.5.3.2.1.
    package var greeting: Duration = .seconds(300)
    package var hello: Duration = .seconds(300)
    package var startTLS: Duration = .seconds(120)
    package var tls: Duration = .seconds(60)
    /// Each step of the AUTH exchange.
    package var authentication: Duration = .seconds(120)
    /// RFC 5321 §4.5.3.2.2.
    package var mail: Duration = .seconds(300)
    /// RFC 5321 §4.5.3.2.3, for each recipient.
    package var recipient: Duration = .seconds(300)
    /// RFC 5321 §4.5.3.2.4.
    package var data: Duration = .seconds(120)
    /// RFC 5321 §4.5.3.2.5, for each block written.
    package var content: Duration = .seconds(180)
    /// RFC 5321 §4.5.3.2.6. Never shorten it: a server that is slow here has often accepted.
    package var finalDot: Duration = .seconds(600)
    package var reset: Duration = .seconds(20)
    package var quit: Duration = .seconds(5)
    /// The whole of a transaction from MAIL until the final dot is due; see `ClientAction.startDeadline`.
    package var deadline: Duration = .seconds(1800)

    package init() {}

    /// The time for one stage.
    package subscript(stage: Stage) -> Duration {
        switch stage {
        case .connect: connect
        case .greeting: greeting
        case .hello: hello
        case .startTLS: startTLS
        case .tls: tls
        case .authentication: authentication
        case .mail: mail
        case .recipient: recipient
        case .data: data
        case .content: content
        case .finalDot: finalDot
        case .reset: reset
        case .quit: quit
        }
    }
}
