/// Finds the machine-readable report in a message.
enum ReportFinder {
    static func find(in root: BodyPart) -> Report? {
        var stack = [root]
        while let part = stack.popLast() {
            if part.isContainer { stack += part.children.reversed() }
        }
        return nil
    }
}
