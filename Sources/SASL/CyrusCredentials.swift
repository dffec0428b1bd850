import CSASL
import Glibc

/// The credentials of one exchange in the form in which libsasl2 asks for them; wiped at the end.
final class CyrusCredentials {
    private let user: UnsafeMutablePointer<CChar>
    private let authorization: UnsafeMutablePointer<CChar>
    private let secret: UnsafeMutableRawPointer
    private let secretSize: Int
    let callbacks: UnsafeMutablePointer<sasl_callback_t>

    init(_ credentials: SASLCredentials) throws(SASLError) {
        let password: [UInt8]
        switch credentials.secret {
        case .password(let octets): password = octets
        case .token, .ticket: password = []
        }
        let names = [credentials.user, credentials.authorization].map { Array($0.utf8) }
        guard !names.contains(where: { $0.contains(0) }), !password.contains(0), !names[0].isEmpty else {
            throw SASLError(.badCredentials, "the user name is empty, or it or the password holds a NUL")
        }
        user = Self.cString(names[0])
        authorization = Self.cString(names[1])
        // A length, the octets, and a NUL that some plugins count on.
        let offset = MemoryLayout<sasl_secret_t>.offset(of: \.data) ?? MemoryLayout<UInt>.size
        secretSize = max(offset + password.count + 1, MemoryLayout<sasl_secret_t>.size)
        secret = .allocate(byteCount: secretSize, alignment: MemoryLayout<sasl_secret_t>.alignment)
        memset(secret, 0, secretSize)
        secret.storeBytes(of: UInt(password.count), as: UInt.self)
        (secret + offset).copyMemory(from: password, byteCount: password.count)
        callbacks = .allocate(capacity: 4)

        let context = Unmanaged.passUnretained(self).toOpaque()
        let name:
            @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>?, UnsafeMutablePointer<UInt32>?) ->
                Int32 = { context, what, result, length in
                    guard let context, let result else { return SASL_BADPARAM }
                    let mine = Unmanaged<CyrusCredentials>.fromOpaque(context).takeUnretainedValue()
                    let text = what == SASL_CB_USER ? mine.authorization : mine.user
                    result.pointee = UnsafePointer(text)
                    length?.pointee = UInt32(strlen(text))
                    return SASL_OK
                }
        let hand:
            @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<UnsafeMutablePointer<sasl_secret_t>?>?) ->
                Int32 = { _, context, _, result in
                    guard let context, let result else { return SASL_BADPARAM }
                    let mine = Unmanaged<CyrusCredentials>.fromOpaque(context).takeUnretainedValue()
                    result.pointee = mine.secret.assumingMemoryBound(to: sasl_secret_t.self)
                    return SASL_OK
                }
        (callbacks + 0).initialize(to: sasl_callback_t(id: UInt(SASL_CB_USER), proc: CyrusLibrary.erased(name), context: context))
        (callbacks + 1).initialize(to: sasl_callback_t(id: UInt(SASL_CB_AUTHNAME), proc: CyrusLibrary.erased(name), context: context))
        (callbacks + 2).initialize(to: sasl_callback_t(id: UInt(SASL_CB_PASS), proc: CyrusLibrary.erased(hand), context: context))
        (callbacks + 3).initialize(to: sasl_callback_t(id: UInt(SASL_CB_LIST_END), proc: nil, context: nil))
    }

    deinit {
        explicit_bzero(secret, secretSize)
        secret.deallocate()
        user.deallocate()
        authorization.deallocate()
        callbacks.deallocate()
    }

    private static func cString(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { text[index] = CChar(bitPattern: byte) }
        text[bytes.count] = 0
        return text
    }
}
