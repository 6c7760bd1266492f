package optout

// tongue is one language's words. A phrase is words with one blank between them, in
// small letters without accents.
type tongue struct {
	stop  []string // each alone is a wish to stop
	start []string // and to start
	// mild are words and phrases of stop and start that people also use of other things:
	// in a sentence of more than a few words they are no near-miss.
	mild []string
	// open are everyday answers to a question ("how bad is it?", "does it suit you?") that some
	// people also write to be left alone. No law or network names them: alone, or among a few
	// words, they are a near-miss, and in a sentence nothing.
	open     []string
	near     []string // phrases that are a near-miss wherever they are
	courtesy []string // change nothing
}

// tongues gives the words by language. The first is what a phone's user is taught by the
// networks, whatever the language (CTIA Messaging Principles §5.1.3).
func tongues() map[string]tongue {
	return map[string]tongue{"": international(), "en": english(), "es": spanish(), "pt": portuguese()}
}

func international() tongue {
	return tongue{
		stop:  []string{"stop", "stopall", "stop all"},
		start: []string{"start", "unstop"},
		mild:  []string{"start"},
	}
}

func english() tongue {
	return tongue{
		stop: []string{ // 47 CFR § 64.1200(a)(10) names cancel, end, quit, revoke, opt out and unsubscribe
			"unsubscribe", "unsubscribe me", "cancel", "end", "quit", "revoke", "optout", "opt out", "remove", "remove me",
			"stop it", "stop this", "stop sms", "stop messages", "stop texting", "stop texting me", "stop sending", "no more",
		},
		start: []string{"subscribe", "resubscribe", "optin", "opt in"},
		mild:  []string{"cancel", "end", "quit", "remove", "stop it", "stop this", "no more", "subscribe"},
		near: []string{
			"take me off", "leave me alone", "wrong number", "no more messages", "no more texts", "do not text", "dont text",
			"don t text", "do not contact", "don t contact", "dont contact", "stop sending", "stop texting",
		},
		courtesy: []string{
			"please", "pls", "plz", "thanks", "thank you", "thankyou", "thx", "ty", "many thanks", "hi", "hello", "sorry", "ok",
			"sir", "madam", "now", "immediately", "sent from my iphone", "sent from my ipad",
		},
	}
}

func spanish() tongue {
	return tongue{
		stop: []string{
			"baja", "dar de baja", "darme de baja", "deme de baja", "denme de baja", "dame de baja", "quiero darme de baja", "de baja",
			"parar", "pare", "paren", "salir", "basta", "no mas", "no mas mensajes", "no mas sms", "desuscribir", "desuscribirme",
		},
		start: []string{"alta", "dar de alta", "darme de alta", "deme de alta", "reanudar", "suscribir", "suscribirme"},
		mild:  []string{"alta", "baja", "parar", "pare", "salir", "basta", "no mas", "reanudar"},
		open:  []string{"alto", "cancelar", "cancelen", "detener", "eliminar", "borrar", "remover"},
		near: []string{
			"no molesten", "no moleste", "dejen de", "deje de", "no me envien", "no envien", "no me manden", "no manden",
			"de baja", "parar de", "no quiero recibir", "no quiero mas", "numero equivocado",
		},
		courtesy: []string{
			"por favor", "porfavor", "porfa", "favor", "gracias", "muchas gracias", "hola", "buenas", "buenos dias", "buenas tardes",
			"buenas noches", "saludos", "disculpe", "ya", "ahora",
		},
	}
}

func portuguese() tongue {
	return tongue{
		stop: []string{
			"parar", "pare", "parem", "sair", "descadastrar", "descadastre", "nao quero mais", "cancelar inscricao",
		},
		start: []string{"reativar", "recadastrar", "quero receber"},
		mild:  []string{"parar", "pare", "sair", "quero receber"},
		open:  []string{"cancelar", "cancela", "cancele", "remover", "remova", "suspender", "chega"},
		near: []string{
			"nao quero receber", "nao envie", "nao enviem", "nao mande", "nao mandem", "parem de", "pare de", "parar de", "me tire", "numero errado",
		},
		courtesy: []string{
			"por favor", "porfavor", "favor", "obrigado", "obrigada", "obg", "muito obrigado", "muito obrigada", "ola", "oi", "bom dia",
			"boa tarde", "boa noite", "agora",
		},
	}
}
