import CEmbedded

/// A file that travels inside the binary, named by its path below `Sources/CEmbedded/files`.
package struct EmbeddedFile: Sendable {
    package let name: String
    package let bytes: [UInt8]

    /// The file of that name; nil when the binary carries none.
    package static func named(_ name: String) -> EmbeddedFile? {
        var index = 0
        while let entry = cembedded_file(index) {
            if String(cString: entry.pointee.name) == name {
                let bytes = UnsafeBufferPointer(start: entry.pointee.bytes, count: entry.pointee.count)
                return EmbeddedFile(name: name, bytes: Array(bytes))
            }
            index += 1
        }
        return nil
    }
}
