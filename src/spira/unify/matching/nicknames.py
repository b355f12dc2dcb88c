"""Short forms of English given names and the names each may stand for; written for this project from common usage."""

from __future__ import annotations

_FORMS = """
abigail: abby gail
albert: al bert bertie
alexander: alex alec xander sandy
alexandra: alexa sandra lexi
alfred: alf alfie fred
amanda: mandy
andrew: andy drew
anthony: tony antony
barbara: barb babs
benjamin: ben benny benji
catherine: kate katie cathy kathy katherine kathryn kat katy cath kathleen catharine
charles: charlie chuck chas
charlotte: lottie
christina: tina chrissy
christine: chris chrissie
christopher: kit topher
daniel: dan danny
david: dave davy
deborah: deb debbie debra
dorothy: dot dolly dottie
edward: ed eddie ted teddy ned
eleanor: ellie nell nelly
elizabeth: liz lizzie beth betty eliza bess lisa libby elisabeth betsy
emily: em emmy
frances: fran francie
francis: frank frankie
frederick: freddie freddy frederic
gabriel: gabe
geoffrey: geoff jeff jeffrey
george: georgie
gerald: gerry
gregory: greg
harold: hal
harriet: hattie
helen: nellie
henry: harry hank
isabella: bella izzy isabelle isobel isabel
jacob: jake
james: jim jimmy jamie jem
jennifer: jen jenny
jessica: jess jessie
john: johnny jack jon
jonathan: jonny
joseph: joe joey
joshua: josh
judith: judy
kenneth: ken kenny
kimberly: kim
lawrence: larry laurie laurence
leonard: leo len lenny
lillian: lily
louis: lou louie lewis
lucille: lucy
margaret: maggie meg peggy marge greta madge
martha: marty
martin: marty
matthew: matt mat
michael: mike mick mickey micky
nathaniel: nathan nate nat
nicholas: nick nicky nicolas
oliver: ollie olly
pamela: pam
patricia: pat patty tricia trish
patrick: paddy
peter: pete
philip: phil phillip
rachel: rach
raymond: ray
rebecca: becky becca
richard: rick dick ricky rich richie
robert: bob rob bobby robbie bert
ronald: ron ronnie
rose: rosie
samantha: sam
samuel: sammy
sarah: sally sara
sophia: sophie
stephen: steve steven stevie
susan: sue susie susanna suzanne
theodore: theo ted teddy
theresa: terry tess teresa
thomas: tom tommy
timothy: tim timmy
valerie: val
victoria: vicky vicki tori
vincent: vince
virginia: ginny
walter: walt wally
william: will bill billy willy liam willie
zachary: zach zack
"""
_ROOTS: dict[str, list[str]] = {}
for _full, _, _shorts in (line.partition(": ") for line in _FORMS.strip().splitlines()):
    for _form in (_full, *_shorts.split()):
        _ROOTS.setdefault(_form, []).append(_full)


def roots(name: str) -> frozenset[str]:
    """The names that a form may stand for, or the name itself: ted is edward or theodore."""
    return frozenset(_ROOTS.get(name, [name]))
