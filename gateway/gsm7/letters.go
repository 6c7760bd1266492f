package gsm7

// plain gives the letter without the accent that the default alphabet does not
// have: the spelling changes, and mostly stays readable.
func plain(r rune) (string, bool) {
	switch r {
	case 'À', 'Á', 'Â', 'Ã', 'Ā', 'Ă', 'Ą', 'Ǎ', 'Ǻ', 'Ȁ', 'Ȃ', 'Ḁ', 'Ạ', 'Ả', 'Ấ', 'Ầ',
		'Ẩ', 'Ẫ', 'Ậ', 'Ắ', 'Ằ', 'Ẳ', 'Ẵ', 'Ặ':
		return "A", true
	case 'á', 'â', 'ã', 'ā', 'ă', 'ą', 'ǎ', 'ǻ', 'ȁ', 'ȃ', 'ḁ', 'ạ', 'ả', 'ấ', 'ầ', 'ẩ',
		'ẫ', 'ậ', 'ắ', 'ằ', 'ẳ', 'ẵ', 'ặ', 'ª':
		return "a", true
	case 'Ḃ', 'Ḅ', 'Ḇ':
		return "B", true
	case 'ḃ', 'ḅ', 'ḇ':
		return "b", true
	case 'Ć', 'Ĉ', 'Ċ', 'Č', 'Ḉ':
		return "C", true
	case 'ç', 'ć', 'ĉ', 'ċ', 'č', 'ḉ', '¢':
		return "c", true
	case 'Ď', 'Ḋ', 'Ḍ', 'Ḏ', 'Ḑ', 'Ḓ', 'Đ', 'Ð':
		return "D", true
	case 'ď', 'ḋ', 'ḍ', 'ḏ', 'ḑ', 'ḓ', 'đ', 'ð':
		return "d", true
	case 'È', 'Ê', 'Ë', 'Ē', 'Ĕ', 'Ė', 'Ę', 'Ě', 'Ȅ', 'Ȇ', 'Ḕ', 'Ḗ', 'Ḙ', 'Ḛ', 'Ḝ', 'Ẹ',
		'Ẻ', 'Ẽ', 'Ế', 'Ề', 'Ể', 'Ễ', 'Ệ':
		return "E", true
	case 'ê', 'ë', 'ē', 'ĕ', 'ė', 'ę', 'ě', 'ȅ', 'ȇ', 'ḕ', 'ḗ', 'ḙ', 'ḛ', 'ḝ', 'ẹ', 'ẻ',
		'ẽ', 'ế', 'ề', 'ể', 'ễ', 'ệ':
		return "e", true
	case 'Ḟ':
		return "F", true
	case 'ḟ':
		return "f", true
	case 'Ĝ', 'Ğ', 'Ġ', 'Ģ', 'Ḡ':
		return "G", true
	case 'ĝ', 'ğ', 'ġ', 'ģ', 'ḡ':
		return "g", true
	case 'Ĥ', 'Ḣ', 'Ḥ', 'Ḧ', 'Ḩ', 'Ḫ', 'Ħ':
		return "H", true
	case 'ĥ', 'ḣ', 'ḥ', 'ḧ', 'ḩ', 'ḫ', 'ẖ', 'ħ':
		return "h", true
	case 'Ì', 'Í', 'Î', 'Ï', 'Ĩ', 'Ī', 'Ĭ', 'Į', 'İ', 'Ǐ', 'Ȉ', 'Ȋ', 'Ḭ', 'Ḯ', 'Ỉ', 'Ị':
		return "I", true
	case 'í', 'î', 'ï', 'ĩ', 'ī', 'ĭ', 'į', 'ǐ', 'ȉ', 'ȋ', 'ḭ', 'ḯ', 'ỉ', 'ị', 'ı':
		return "i", true
	case 'Ĵ':
		return "J", true
	case 'ĵ':
		return "j", true
	case 'Ķ', 'Ḱ', 'Ḳ', 'Ḵ':
		return "K", true
	case 'ķ', 'ḱ', 'ḳ', 'ḵ', 'ĸ':
		return "k", true
	case 'Ĺ', 'Ļ', 'Ľ', 'Ḷ', 'Ḹ', 'Ḻ', 'Ḽ', 'Ł', 'Ŀ':
		return "L", true
	case 'ĺ', 'ļ', 'ľ', 'ḷ', 'ḹ', 'ḻ', 'ḽ', 'ł', 'ŀ':
		return "l", true
	case 'Ḿ', 'Ṁ', 'Ṃ':
		return "M", true
	case 'ḿ', 'ṁ', 'ṃ':
		return "m", true
	case 'Ń', 'Ņ', 'Ň', 'Ǹ', 'Ṅ', 'Ṇ', 'Ṉ', 'Ṋ', 'Ŋ':
		return "N", true
	case 'ń', 'ņ', 'ň', 'ǹ', 'ṅ', 'ṇ', 'ṉ', 'ṋ', 'ŋ':
		return "n", true
	case 'Ò', 'Ó', 'Ô', 'Õ', 'Ō', 'Ŏ', 'Ő', 'Ǒ', 'Ȍ', 'Ȏ', 'Ṍ', 'Ṏ', 'Ṑ', 'Ṓ', 'Ọ', 'Ỏ',
		'Ố', 'Ồ', 'Ổ', 'Ỗ', 'Ộ', 'Ớ', 'Ờ', 'Ở', 'Ỡ', 'Ợ':
		return "O", true
	case 'ó', 'ô', 'õ', 'ō', 'ŏ', 'ő', 'ǒ', 'ȍ', 'ȏ', 'ṍ', 'ṏ', 'ṑ', 'ṓ', 'ọ', 'ỏ', 'ố',
		'ồ', 'ổ', 'ỗ', 'ộ', 'ớ', 'ờ', 'ở', 'ỡ', 'ợ', 'º':
		return "o", true
	case 'Ṕ', 'Ṗ':
		return "P", true
	case 'ṕ', 'ṗ':
		return "p", true
	case 'Ŕ', 'Ŗ', 'Ř', 'Ȑ', 'Ȓ', 'Ṙ', 'Ṛ', 'Ṝ', 'Ṟ':
		return "R", true
	case 'ŕ', 'ŗ', 'ř', 'ȑ', 'ȓ', 'ṙ', 'ṛ', 'ṝ', 'ṟ':
		return "r", true
	case 'Ś', 'Ŝ', 'Ş', 'Š', 'Ș', 'Ṡ', 'Ṣ', 'Ṥ', 'Ṧ', 'Ṩ':
		return "S", true
	case 'ś', 'ŝ', 'ş', 'š', 'ș', 'ṡ', 'ṣ', 'ṥ', 'ṧ', 'ṩ', 'ſ':
		return "s", true
	case 'Ţ', 'Ť', 'Ț', 'Ṫ', 'Ṭ', 'Ṯ', 'Ṱ', 'Ŧ':
		return "T", true
	case 'ţ', 'ť', 'ț', 'ṫ', 'ṭ', 'ṯ', 'ṱ', 'ẗ', 'ŧ':
		return "t", true
	case 'Ù', 'Ú', 'Û', 'Ũ', 'Ū', 'Ŭ', 'Ů', 'Ű', 'Ų', 'Ǔ', 'Ǖ', 'Ǘ', 'Ǚ', 'Ǜ', 'Ȕ', 'Ȗ',
		'Ṳ', 'Ṵ', 'Ṷ', 'Ṹ', 'Ṻ', 'Ụ', 'Ủ', 'Ứ', 'Ừ', 'Ử', 'Ữ', 'Ự':
		return "U", true
	case 'ú', 'û', 'ũ', 'ū', 'ŭ', 'ů', 'ű', 'ų', 'ǔ', 'ǖ', 'ǘ', 'ǚ', 'ǜ', 'ȕ', 'ȗ', 'ṳ',
		'ṵ', 'ṷ', 'ṹ', 'ṻ', 'ụ', 'ủ', 'ứ', 'ừ', 'ử', 'ữ', 'ự':
		return "u", true
	case 'Ṽ', 'Ṿ':
		return "V", true
	case 'ṽ', 'ṿ':
		return "v", true
	case 'Ŵ', 'Ẁ', 'Ẃ', 'Ẅ', 'Ẇ', 'Ẉ':
		return "W", true
	case 'ŵ', 'ẁ', 'ẃ', 'ẅ', 'ẇ', 'ẉ', 'ẘ':
		return "w", true
	case 'Ẋ', 'Ẍ':
		return "X", true
	case 'ẋ', 'ẍ':
		return "x", true
	case 'Ý', 'Ŷ', 'Ÿ', 'Ẏ', 'Ỳ', 'Ỵ', 'Ỷ', 'Ỹ':
		return "Y", true
	case 'ý', 'ÿ', 'ŷ', 'ẏ', 'ẙ', 'ỳ', 'ỵ', 'ỷ', 'ỹ':
		return "y", true
	case 'Ź', 'Ż', 'Ž', 'Ẑ', 'Ẓ', 'Ẕ':
		return "Z", true
	case 'ź', 'ż', 'ž', 'ẑ', 'ẓ', 'ẕ':
		return "z", true
	case 'œ':
		return "oe", true
	case 'Œ':
		return "OE", true
	case 'ĳ':
		return "ij", true
	case 'Ĳ':
		return "IJ", true
	case 'þ':
		return "th", true
	case 'Þ':
		return "Th", true
	case 'ẞ':
		return "SS", true
	case '°':
		return "o", true
	case 'ŉ':
		return "'n", true
	}
	return "", false
}
