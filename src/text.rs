//! Beginnings of texts, never cut within a character.

/// At most this many characters.
pub(crate) fn first_chars(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// At most this many bytes.
pub(crate) fn first_bytes(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        assert_eq!((first_chars("aéb", 2), first_chars("aéb", 9)), ("aé", "aéb"));
        assert_eq!((first_bytes("aéb", 2), first_bytes("aéb", 3), first_bytes("é", 9)), ("a", "aé", "é"));
    }
}
