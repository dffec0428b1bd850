import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The HTTP client of the process: small calls to servers that conf or DNS names, never anything that a message names.
///
/// Overview: calls over async-http-client, each on a connection of its own; a call is `https`, or `http` to this machine. No redirect is
/// followed, no cookie kept, no proxy asked and no content coding accepted; time and size of a response are bounded.
///
/// TLS here is the library's own BoringSSL with the system's CA file, unlike everything else of the house, which is OpenSSL.
package final class HTTPFetcher: Sendable {
    /// What one call may cost.
    package struct Limits: Sendable {
        /// For the whole call, from the look-up of the name to the last octet.
        package var time: Duration
        /// Octets of content. RFC 8461 §3.3 asks for 64 KiB for a policy.
        package var size: Int
        /// Whether the status is what counts: a longer response is cut there, one that breaks off ends there, and of a 2xx nothing is read;
        /// else it is a failure.
        package var cuts: Bool
        /// For the connection with its TLS, out of the whole; nil: 15 s. When it is over nobody was asked.
        package var connect: Duration?

        package init(time: Duration = .seconds(30), size: Int = 65_536, cuts: Bool = false, connect: Duration? = nil) {
            self.time = time
            self.size = size
            self.cuts = cuts
            self.connect = connect
        }
    }

    /// Whose certificates are good.
    package enum Trust: Sendable, Hashable {
        /// The system's CA file.
        case system
        /// The certificates of this PEM file in place of the system's.
        case caFile(String)
    }

    private let eventLoops: any EventLoopGroup
    private let isOver = Mutex(false)

    /// - Parameter eventLoops: where connections live; they are not ended here.
    package init(on eventLoops: any EventLoopGroup) { self.eventLoops = eventLoops }

    /// From now on there are no calls; each call closes what it opened.
    package func shutdown() async { isOver.withLock { $0 = true } }

    /// Fetches a document.
    ///
    /// - Parameters:
    ///   - address: an IP address to connect to in place of those that the system finds for the host; name and certificate stay the host's.
    /// - Returns: the response, whatever its status; a redirect is a response like any other.
    package func get(
        _ url: String, headers: [(name: String, value: String)] = [], limits: Limits = Limits(), trust: Trust = .system,
        address: String? = nil
    ) async throws(HTTPFetchError) -> HTTPResponse {
        try await call(url, headers: headers, content: nil, limits: limits, trust: trust, address: address)
    }

    /// Posts a form (`application/x-www-form-urlencoded`).
    package func post(
        _ url: String, form: [(name: String, value: String)], headers: [(name: String, value: String)] = [], limits: Limits = Limits(),
        trust: Trust = .system
    ) async throws(HTTPFetchError) -> HTTPResponse {
        let content = (type: "application/x-www-form-urlencoded", bytes: FormBody.encoded(form))
        return try await call(url, headers: headers, content: content, limits: limits, trust: trust, address: nil)
    }

    /// Posts a document to a server at one address and no other.
    ///
    /// - Parameters:
    ///   - address: the IP address to connect to; name and certificate stay the host's. Whoever calls has judged it, so no other is asked.
    ///   - inClear: whether `http` may go to other machines than this one.
    package func post(
        _ url: String, document: [UInt8], mediaType: String, headers: [(name: String, value: String)], limits: Limits,
        trust: Trust = .system, address: String, inClear: Bool
    ) async throws(HTTPFetchError) -> HTTPResponse {
        try await call(
            url, headers: headers, content: (type: mediaType, bytes: document), limits: limits, trust: trust, address: address,
            inClear: inClear)
    }

    /// Fails, and closes the channel, when it leads to another address than the one that was given.
    ///
    /// The library looks the address up by the host as it writes it; were that ever another spelling, the system would be asked for addresses
    /// that nobody has judged.
    static func check(_ channel: any Channel, address: String?) -> EventLoopFuture<Void> {
        guard let address else { return channel.eventLoop.makeSucceededVoidFuture() }
        guard let peer = channel.remoteAddress, let wanted = try? SocketAddress(ipAddress: address, port: peer.port ?? 0), peer == wanted
        else {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(
                HTTPFetchError(.unreachable, "the connection leads to another address than \(address)"))
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    /// Whether the connection of one call came about, so that its request may have been heard.
    private final class Connection: Sendable {
        private let state = Mutex(false)

        var isReady: Bool { state.withLock { $0 } }

        func ready() { state.withLock { $0 = true } }
    }

    private static func configuration(
        for host: String, at address: String?, connect: Duration?, _ connection: Connection
    ) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: connect.map { TimeAmount($0) } ?? .seconds(15))
        // The library would try again until the time is up, and hide what is wrong.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { channel in
            let checked = check(channel, address: address).flatMap { CertificateName.check(of: channel, host: host) }
            return checked.map { connection.ready() }
        }
        return configuration
    }

    private func call(
        _ url: String, headers: [(name: String, value: String)], content: (type: String, bytes: [UInt8])?, limits: Limits, trust: Trust,
        address: String?, inClear: Bool = false
    ) async throws(HTTPFetchError) -> HTTPResponse {
        let target = try FetchURL(url, inClear: inClear)
        guard !isOver.withLock({ $0 }) else { throw HTTPFetchError(.cancelled, "the HTTP client is shut down") }
        var request = HTTPClientRequest(url: target.text)
        request.headers.add(name: "user-agent", value: "postrider")
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let content {
            request.method = .POST
            request.headers.replaceOrAdd(name: "content-type", value: content.type)
            request.body = .bytes(ByteBuffer(bytes: content.bytes))
        }
        if case .caFile(let path) = trust {
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            } catch {
                throw HTTPFetchError(.badTrust, "\(path): no certificates to trust can be read from it", cause: "\(error)")
            }
            request.tlsConfiguration = tls
        }
        // Calls are rare, and both the host to check and the address to use belong to a whole client of the library: each call has its own.
        let connection = Connection()
        var configuration = Self.configuration(for: target.host, at: address, connect: limits.connect, connection)
        if let address { configuration.dnsOverride = [target.host: address] }
        let client = HTTPClient(eventLoopGroup: eventLoops, configuration: configuration)
        let result: Result<HTTPResponse, HTTPFetchError>
        do throws(HTTPFetchError) {
            result = .success(try await Self.bounded(request, host: target.host, over: client, limits, connection))
        } catch {
            result = .failure(error)
        }
        if case .failure(let error) = result, error.code == .timeout {
            // A connection that never came about holds the library up until its own time is over; nobody need wait for that.
            Task { try? await client.shutdown() }
        } else {
            try? await client.shutdown()
        }
        return try result.get()
    }

    private static func bounded(
        _ request: HTTPClientRequest, host: String, over client: HTTPClient, _ limits: Limits, _ connection: Connection
    ) async throws(HTTPFetchError) -> HTTPResponse {
        let late = HTTPFetchError(.timeout, "\(host) did not answer within \(limits.time.components.seconds) s")
        let result = await withTaskGroup(of: Result<HTTPResponse, HTTPFetchError>.self) { group in
            group.addTask {
                do {
                    return .success(try await exchange(request, host: host, over: client, limits))
                } catch {
                    return .failure(fault(error, host: host, isConnected: connection.isReady))
                }
            }
            group.addTask {
                do { try await Task.sleep(for: limits.time) } catch { return .failure(HTTPFetchError(.cancelled, "cancelled")) }
                return .failure(late)
            }
            let first = await group.next() ?? .failure(late)
            group.cancelAll()
            return first
        }
        return try result.get()
    }

    private static func exchange(_ request: HTTPClientRequest, host: String, over client: HTTPClient, _ limits: Limits) async throws
        -> HTTPResponse
    {
        // The task that counts the time cancels this one; the library's own clock is only there in case it does not listen.
        let response = try await client.execute(request, deadline: .now() + TimeAmount(limits.time) + .seconds(5))
        let tooLarge = HTTPFetchError(.tooLarge, "\(host) answers with more than \(limits.size) octets")
        if let length = response.headers.first(name: "content-length").flatMap({ Int($0) }), length > limits.size, !limits.cuts {
            throw tooLarge
        }
        var body: [UInt8] = []
        // What is left unread goes with the connection.
        if !limits.cuts || !(200...299).contains(response.status.code) {
            do {
                for try await part in response.body {
                    let room = limits.size - body.count
                    guard part.readableBytes <= room || limits.cuts else { throw tooLarge }
                    body += part.readableBytesView.prefix(room)
                    if limits.cuts, body.count == limits.size { break }
                }
            } catch {
                guard limits.cuts else { throw error }
            }
        }
        return HTTPResponse(
            status: Int(response.status.code), body: body,
            mediaType: response.headers.first(name: "content-type").flatMap(HTTPResponse.mediaType),
            retryAfter: response.headers.first(name: "retry-after").flatMap(HTTPResponse.retryAfter))
    }

    /// - Parameter isConnected: whether the request may have been heard; then nothing is `unreachable`.
    private static func fault(_ error: any Error, host: String, isConnected: Bool) -> HTTPFetchError {
        switch error {
        case let error as HTTPFetchError: error
        case is CancellationError: HTTPFetchError(.cancelled, "cancelled")
        case let error as HTTPClientError where error == .cancelled || error == .alreadyShutdown: HTTPFetchError(.cancelled, "cancelled")
        case let error as HTTPClientError
        where error == .deadlineExceeded || error == .readTimeout || error == .getConnectionFromPoolTimeout:
            HTTPFetchError(.timeout, "\(host) did not answer in time", cause: "\(error)")
        case let error as HTTPClientError where error == .tlsHandshakeTimeout:
            HTTPFetchError(.tls, "no TLS with \(host) in time", cause: "\(error)")
        case is NIOSSLError, is NIOSSLExtraError, is CertificateName.Mismatch:
            HTTPFetchError(
                .tls, "no TLS with \(host): its certificate is not trusted or not for this name, or it speaks no TLS", cause: "\(error)")
        case let error as HTTPClientError where error == .connectTimeout:
            HTTPFetchError(.unreachable, "cannot connect to \(host) in time", cause: "\(error)")
        case _ where error is NIOConnectionError || error is SocketAddressError || error is IOError && !isConnected:
            HTTPFetchError(.unreachable, "cannot connect to \(host)", cause: "\(error)")
        default: HTTPFetchError(.broken, "\(host) broke the connection, or does not speak HTTP", cause: "\(error)")
        }
    }
}
