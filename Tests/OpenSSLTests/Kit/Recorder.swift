import NIOCore
import OpenSSL

/// Notes everything that reaches the end of a pipeline.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private(set) var facts: [TLSFacts] = []
    private(set) var bytes: [UInt8] = []
    private(set) var errors: [any Error] = []
    /// What came in which order, each kind once in a row.
    private(set) var story: [String] = []
    var onRead: ((ChannelHandlerContext) -> Void)?
    var onHandshake: ((ChannelHandlerContext) -> Void)?
    var onError: ((ChannelHandlerContext) -> Void)?

    var tlsErrors: [TLSError] { errors.compactMap { $0 as? TLSError } }

    private func note(_ what: String) { if story.last != what { story.append(what) } }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let completed = event as? TLSHandshakeCompleted {
            facts.append(completed.facts)
            note("handshake")
            onHandshake?(context)
        } else if let end = event as? ChannelEvent, end == .inputClosed {
            note("inputClosed")
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += unwrapInboundIn(data).readableBytesView
        note("bytes")
        onRead?(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        errors.append(error)
        note("error")
        onError?(context)
    }

    func channelInactive(context: ChannelHandlerContext) { note("inactive") }
}
