// The whole language. Whitespace and newlines separate tokens and mean nothing else: no statement begins with '(' '['
// or '-'. One check stands beside the grammar, in src/Compiler/Syntax: a '(' or '[' that continues an expression stands
// on the line where that expression ends.
grammar Acc;

file        : use* item* EOF ;
use         : 'use' name ('.' name)* ;                                          // use nn        use blocks.attention

// ---- declarations: in a file or a module ------------------------------------------------------------------------
item        : 'module' name ('(' parameters? ')')? '{' item* '}'                # module
            | exported='export'? composite='composite'? 'fn' name '(' parameters? ')' ('->' result)? where? body # function
            | kind=('param' | 'buffer') name (':' type)? '=' expr               # state
            | 'let' names (':' type)? '=' expr                                  # constant      // a number, a list, or an instance
            | 'if' expr '{' item* '}' otherwise?                                # conditional
            | 'weights' '{' rename* '}'                                         # weights
            | call                                                              # check         // assert(…)
            ;
otherwise   : 'else' '{' item* '}' ;
rename      : STRING '->' (STRING (',' STRING)* 'optional'? | '_') ;            // key in the file -> paths here; `_` leaves it out
parameters  : parameter (',' parameter)* ','? ;
parameter   : 'inout'? name (':' type)? ('=' expr)? ;                           // without a type: int
result      : type | '(' field (',' field)* ')' ;
field       : (name ':')? type ;
where       : 'where' expr (',' expr)* ;                                        // what must hold between sizes: where n == m
body        : '=' expr | block ;

// ---- types ------------------------------------------------------------------------------------------------------
type        : name ('[' (dim (',' dim)*)? ']')?                                 # namedType     // f32[.., n]  T[_, 2 * n]  int  bool  dtype  Linear
            | '[' type ']'                                                      # listType
            | 'fn'                                                              # functionType  // a function or a layer
            ;
dim         : group | expr ;                                                    // a new name is bound here; `_` is any size
group       : '..' name? ;                                                      // any number of axes

// ---- statements -------------------------------------------------------------------------------------------------
block       : '{' statement* '}' ;
statement   : 'let' names (':' type)? '=' expr                                  # declare
            | place (',' place)* op=('=' | '+=' | '-=' | '*=' | '/=') expr      # assign
            | choice                                                            # branch
            | 'for' names 'in' iterable block                                   # loop          // range: one loop; list: unrolled
            | 'while' expr block                                                # while
            | 'return' expr (',' expr)*                                         # return        // last in its block
            | call                                                              # effect        // print(…)  assert(…)  opt.step(g)
            ;
choice      : 'if' expr block ('else' (block | choice))? ;
place       : name ('.' name | '[' subscripts ']')* ;
call        : place '(' arguments? ')' ;
names       : name (',' name)* ;
iterable    : expr (':' expr (':' expr)?)? ;                                    // a list, or first : end : step

// ---- expressions, tightest first --------------------------------------------------------------------------------
expr        : expr '.' name                                                     # member
            | expr '(' arguments? ')'                                           # apply
            | expr '[' subscripts ']'                                           # select        // also sum[i, j < n](…)
            | <assoc=right> expr op='**' expr                                   # binary
            | '-' expr                                                          # negate
            | expr op=('*' | '/' | '//' | '%' | '@') expr                       # binary
            | expr op=('+' | '-') expr                                          # binary
            | expr op=('==' | '!=' | '<' | '<=' | '>' | '>=') expr              # binary
            | 'not' expr                                                        # not
            | expr op='and' expr                                                # binary
            | expr op='or' expr                                                 # binary
            | expr op='|>' expr                                                 # pipe
            | '[' index (',' index)* ']' '=>' expr                              # map           // index form; reaches as far right as it can
            | '[' expr 'for' names 'in' iterable ('if' expr)? ']'               # comprehension
            | '[' (element (',' element)* ','?)? ']'                            # list
            | ternary                                                           # if
            | '(' expr ')'                                                      # parens
            | (INT | FLOAT | STRING | 'true' | 'false')                         # literal
            | name                                                              # variable
            ;
ternary     : 'if' expr '{' expr '}' 'else' ('{' expr '}' | ternary) ;
arguments   : argument (',' argument)* ','? ;
argument    : (name ':')? 'inout'? expr ;
element     : '..' expr? | expr ;                                               // [..b, t, d] splices
index       : group | name ('<' expr)? ;                                        // its extent: where it stands alone, or after `<`
subscripts  : subscript (',' subscript)* ','? ;
subscript   : group | expr | slice ;
slice       : first=expr? ':' end=expr? (':' step=expr)? ;
name        : NAME | 'weights' | 'where' | 'optional' | 'composite' | '_' ;

NAME        : [A-Za-z_] [A-Za-z_0-9]* ;
INT         : [0-9] [0-9_]* | '0x' [0-9a-fA-F]+ ;
FLOAT       : [0-9]+ '.' [0-9]+ ([eE] [+-]? [0-9]+)? | [0-9]+ [eE] [+-]? [0-9]+ ;
STRING      : '"' (~["\\\r\n] | '\\' ~[\r\n])* '"' ;
OPEN_STRING : '"' (~["\\\r\n] | '\\' ~[\r\n])* '\\'? -> type(STRING) ;          // not closed on its line: reported from the token
COMMENT     : '#' ~[\r\n]* -> channel(HIDDEN) ;                                 // kept for documentation and the formatter
SPACE       : [ \t\r\n\uFEFF]+ -> skip ;
STRAY       : . -> channel(HIDDEN) ;                                            // a character of no token: reported, then left out
