/// Text with format=flowed (RFC 3676).
package enum FlowedText {
    /// The text with its flowed lines joined into paragraphs and space-stuffing undone; quote marks stay as "> ".
    /// With `delSp` the space that marks a flowed line is dropped (RFC 3676 §4.5).
    package static func unflow(_ text: String, delSp: Bool) -> String {
        var output: [UInt8] = []
        var openDepth: Int?
        for line in Array(text.utf8).split(separator: ASCII.lf, omittingEmptySubsequences: false) {
            var content = line
            if content.last == ASCII.cr { content.removeLast() }
            let depth = content.prefix { $0 == ASCII.greater }.count
            content = content.dropFirst(depth)
            if content.first == ASCII.space { content = content.dropFirst() }
            let isSignature = content.elementsEqual("-- ".utf8)
            if let open = openDepth, open != depth || isSignature {
                output.append(ASCII.lf)
                openDepth = nil
            }
            if openDepth == nil, depth > 0 {
                output += [UInt8](repeating: ASCII.greater, count: depth)
                output.append(ASCII.space)
            }
            if content.last == ASCII.space, !isSignature {
                output += delSp ? content.dropLast() : content
                openDepth = depth
            } else {
                output += content
                output.append(ASCII.lf)
                openDepth = nil
            }
        }
        // The split yields one line more than there are line ends.
        if openDepth == nil, output.last == ASCII.lf { output.removeLast() }
        return output.utf8Text
    }
}
