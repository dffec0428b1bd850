struct HTMLTextWriter {
    mutating func convert(_ html: [UInt8]) -> String {
        var output: [UInt8] = []
        var inTag = false
        for byte in html {
            if byte == ASCII.less { inTag = true } else if byte == ASCII.greater { inTag = false } else if !inTag { output.append(byte) }
        }
        return output[...].trimmed.utf8Text
    }
}
